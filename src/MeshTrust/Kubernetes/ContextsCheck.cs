using System.Globalization;
using System.Text.RegularExpressions;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>
/// A cluster whose API server answered, its <c>gitVersion</c> and the uid of its <c>kube-system</c>, which no two clusters share (null if
/// it may not be read). The endpoint, address and CA, identifies it if the uid is unknown.
/// </summary>
internal sealed record ReachableCluster(ClusterName Name, Uri Server, string Version, string? Uid, string Endpoint);

/// <summary>The result of <see cref="ContextsCheck"/> if there is no problem, in the order of the topology.</summary>
internal sealed record ContextsReport(IReadOnlyList<ReachableCluster> Clusters, IReadOnlyList<Problem> Warnings);

/// <summary>Checks every API server: does it answer, which version is it, and is it a different cluster from the others?</summary>
internal static class ContextsCheck
{
    private const int MaxParallel = 16;

    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>, with the problems of all clusters.</exception>
    internal static async Task<ContextsReport> RunAsync(
        IReadOnlyList<ClusterAccess> clusters, Func<ClusterAccess, IClusterApi> connect, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var reached = new ReachableCluster?[clusters.Count];
        var problems = new IReadOnlyList<Problem>[clusters.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, clusters.Count, options, async (i, ct) =>
        {
            problems[i] = [];
            try
            {
                reached[i] = await AskAsync(clusters[i], connect, ct).ConfigureAwait(false);
            }
            catch (MeshTrustException e)
            {
                problems[i] = e.Problems;
            }
        }).ConfigureAwait(false);
        var all = problems.SelectMany(p => p).Concat(Twins(clusters, reached)).ToList();
        if (all.Count > 0) throw new MeshTrustException(Stage.Contexts, all);
        return new ContextsReport([.. reached.OfType<ReachableCluster>()],
            [.. clusters.Select(c => c.Origin?.NotSent).OfType<Problem>(),
                .. reached.GroupBy(c => c!.Version, c => c!.Name.Value)
                .Select(same => KubernetesVersionSupport.Judge(string.Join(", ", same), same.Key, time.GetUtcNow())).OfType<Problem>()]);
    }

    private static async Task<ReachableCluster> AskAsync(
        ClusterAccess access, Func<ClusterAccess, IClusterApi> connect, CancellationToken cancellationToken)
    {
        using var api = connect(access);
        var uid = ReadUidAsync(api, cancellationToken);
        var version = api.GetVersionAsync(cancellationToken);
        await Task.WhenAll((Task)uid, version).ConfigureAwait(false);
        return new ReachableCluster(access.Name, api.Server, version.Result, uid.Result, api.Endpoint);
    }

    /// <summary>The uid of kube-system; null if this user may not read it or it does not exist.</summary>
    private static async Task<string?> ReadUidAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        try
        {
            return (await api.ReadNamespaceAsync("kube-system", cancellationToken).ConfigureAwait(false))?.Uid;
        }
        catch (MeshTrustException e) when (e.Problems.All(p => p.Id == ProblemCodes.Forbidden))
        {
            return null;
        }
    }

    private static IEnumerable<Problem> Twins(IReadOnlyList<ClusterAccess> clusters, ReachableCluster?[] reached)
    {
        for (var i = 0; i < reached.Length; i++)
        {
            var j = Array.FindIndex(reached, 0, i, other => AreSame(reached[i], other));
            if (j < 0 || (reached[i], reached[j]) is not ({ } one, { } first)) continue;
            yield return new Problem("MT0217", one.Name.Value,
                $"The contexts '{clusters[j].ContextName}' of '{first.Name}' ({first.Server}) and "
                + $"'{clusters[i].ContextName}' of '{one.Name}' ({one.Server}) point to the same cluster.",
                "Give each cluster in the topology a context that points to a different cluster.");
        }
    }

    /// <summary>Two uids decide; if one is unknown, the address and CA do.</summary>
    private static bool AreSame(ReachableCluster? one, ReachableCluster? other) =>
        one is not null && other is not null
        && (one.Uid is null || other.Uid is null ? one.Endpoint == other.Endpoint : one.Uid == other.Uid);
}

/// <summary>
/// The Kubernetes versions that Istio's supported releases list. Source: istio.io, "Supported Releases"
/// (data/compatibility/supportStatus.yml of istio/istio.io) and the announcements of 1.29 to 1.31, as of September 2026. A release whose
/// end was announced is not supported after that day. A version that is not listed here is reported, never guessed.
/// </summary>
internal static partial class KubernetesVersionSupport
{
    private const string AsOf = "2026-09";

    private static readonly (string Istio, int Oldest, int Newest, DateOnly End)[] Releases =
        [("1.31", 32, 37, DateOnly.MaxValue), ("1.30", 32, 36, DateOnly.MaxValue), ("1.29", 31, 35, new(2026, 8, 31))];

    /// <summary>The warning about a cluster's version, if any.</summary>
    /// <returns>A warning (MT3020 older, MT3021 newer, MT3022 unreadable); null if a supported release of Istio lists it.</returns>
    internal static Problem? Judge(string cluster, string gitVersion, DateTimeOffset now)
    {
        var match = Version().Match(gitVersion);
        if (!match.Success)
        {
            return new("MT3022", cluster,
                "The server's version is not of the form v1.x.y, so it cannot be compared with what Istio supports.",
                "Check istio.io, Supported Releases, for this distribution.", Severity.Warning);
        }

        var isOne = match.Groups[1].Value == "1";
        var minor = int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
        var supported = Releases.Where(r => DateOnly.FromDateTime(now.UtcDateTime) <= r.End).ToList();
        if (isOne && supported.Any(r => minor >= r.Oldest && minor <= r.Newest)) return null;
        var listed = string.Join(", ", supported.Select(r => $"Istio {r.Istio}: 1.{r.Oldest} to 1.{r.Newest}"));
        var older = isOne && minor < supported.Min(r => r.Oldest);
        return new(older ? "MT3020" : "MT3021", cluster,
            $"Kubernetes {gitVersion} is {(older ? "older" : "newer")} than the versions that supported Istio releases list "
            + $"({listed}; as of {AsOf}).",
            older ? "The secrets still work; upgrade the cluster before you rely on Istio there."
                : "Check istio.io, Supported Releases: a newer Istio may list it by now.",
            Severity.Warning);
    }

    [GeneratedRegex(@"^v?(\d{1,3})\.(\d{1,3})(\D|$)")]
    private static partial Regex Version();
}
