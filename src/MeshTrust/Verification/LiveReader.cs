using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>
/// Asks each pod of each istiod, through a port-forward, for a certificate for each cluster that it serves, and a sample of proxies for
/// what they hold.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="parallel">The number of istiods, and of proxies, to ask in parallel, at least one.</param>
internal sealed class LiveReader(TimeProvider time, int parallel)
{
    /// <summary>The service account whose identity is requested; every namespace has it.</summary>
    private const string Account = "default";

    /// <summary>How long one answer of an istiod may take.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether to read proxies of workloads too.</summary>
    internal bool ReadsProxies { get; init; }

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Whatever goes wrong becomes part of the reading; only cancellation throws.</summary>
    /// <param name="snapshot">The clusters. Those in which istiod has not published a root are not asked.</param>
    /// <param name="clusters">How to reach each cluster.</param>
    /// <param name="connect">Connects to one cluster; the reader disposes the connection.</param>
    /// <param name="wait">How long to wait for istiods that have not loaded the secret yet.</param>
    /// <param name="waiting">Receives the istiods that it waits for, whenever these change.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<LiveReading> ReadAsync(
        TrustSnapshot snapshot, IReadOnlyList<ClusterAccess> clusters, Func<ClusterAccess, IClusterApi> connect, TimeSpan wait,
        Action<string> waiting, CancellationToken cancellationToken)
    {
        var (start, reported) = (time.GetTimestamp(), "");
        var served = snapshot.Topology.Clusters.Where(c => c.Primary is null || c.Primary == c.Name)
            .Join(snapshot.Clusters, c => c.Name, s => s.Name, (_, s) => s).Where(s => s.Live.Published is not null).ToList();
        var readable = snapshot.Clusters.Where(c => served.Count > 0 && c.Server is not null).Select(c => c.Name).ToHashSet();
        var apis = clusters.Where(c => readable.Contains(c.Name)).ToDictionary(c => c.Name, connect);
        var proxies = ProxySample.ReadAsync(ReadsProxies ? apis.Values : [], parallel, Patience, cancellationToken);
        try
        {
            var found = await Task.WhenAll(served.Select(s => IstiodPods.FindAsync(s, apis[s.Name], cancellationToken)))
                .ConfigureAwait(false);
            var readings = found.SelectMany(f => f).ToList();
            var at = time.GetUtcNow();
            var pending = Enumerable.Range(0, readings.Count).ToList();
            while (true)
            {
                var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, parallel), CancellationToken = cancellationToken };
                await Parallel.ForEachAsync(pending, options, async (i, ct) =>
                    readings[i] = await AskAsync(snapshot, readings[i], apis, at, ct).ConfigureAwait(false)).ConfigureAwait(false);
                pending = [.. pending.Where(i => readings[i].IsCurrent(Of(snapshot, readings[i].Cluster).Bundle) is false)];
                if (pending.Count == 0 || time.GetElapsedTime(start) >= wait)
                    return new LiveReading(at, readings) { Proxies = await proxies.ConfigureAwait(false) };
                var names = string.Join(", ", pending.Select(i => readings[i].Name).Distinct());
                if (names != reported) waiting(reported = names);
                await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
                at = time.GetUtcNow();
            }
        }
        finally
        {
            await Task.WhenAny(proxies).ConfigureAwait(false);
            foreach (var api in apis.Values) api.Dispose();
        }
    }

    private async Task<IstiodReading> AskAsync(
        TrustSnapshot snapshot, IstiodReading istiod, Dictionary<ClusterName, IClusterApi> apis, DateTimeOffset at,
        CancellationToken cancellationToken)
    {
        if (istiod.Pod.Length == 0) return istiod;
        var home = Of(snapshot, istiod.Cluster);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        try
        {
            var connection = await apis[istiod.Cluster]
                .ForwardAsync(home.Live.Namespace, istiod.Pod, IstiodClient.Port, deadline.Token).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            using var client = new IstiodClient(connection, Names(home, istiod.Revision), home.Live.Roots, at, Patience);
            var issued = new List<IssuedReading>();
            foreach (var workloads in Served(snapshot, istiod.Cluster))
                issued.Add(await RequestAsync(snapshot, istiod, workloads, apis, client, cancellationToken).ConfigureAwait(false));
            foreach (var old in istiod.Issued) old.Certificate?.Dispose();
            return istiod with { Served = client.Served, ServedFault = client.ServedFault, Issued = issued };
        }
        catch (MeshTrustException fault)
        {
            return istiod with { Fault = Explain(fault) };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return istiod with { Fault = $"The port-forward to pod {istiod.Pod} did not open within {Patience.TotalSeconds:0.#} s." };
        }
    }

    private static async Task<IssuedReading> RequestAsync(
        TrustSnapshot snapshot, IstiodReading istiod, ClusterSnapshot workloads, Dictionary<ClusterName, IClusterApi> apis,
        IstiodClient client, CancellationToken cancellationToken)
    {
        var ns = workloads.Live.Namespace;
        var config = Of(snapshot, istiod.Cluster).MeshConfigs.FirstOrDefault(m => m.Revision == istiod.Revision);
        var id = $"spiffe://{config?.TrustDomain ?? workloads.TrustDomain(snapshot.Topology)}/ns/{ns}/sa/{Account}";
        if (!apis.TryGetValue(workloads.Name, out var api))
            return new IssuedReading(workloads.Name, id, null, $"Cluster '{workloads.Name}' could not be read.");
        try
        {
            var token = await TokenAsync(api, ns, cancellationToken).ConfigureAwait(false);
            var remote = workloads.Name == istiod.Cluster ? null : workloads.Name.Value;
            var (issued, fault) = await client.RequestAsync(token, remote, id, cancellationToken).ConfigureAwait(false);
            return new IssuedReading(workloads.Name, id, issued, fault);
        }
        catch (MeshTrustException fault)
        {
            return new IssuedReading(workloads.Name, id, null, Explain(fault));
        }
    }

    /// <summary>The cluster itself, and those whose primary it is.</summary>
    private static IEnumerable<ClusterSnapshot> Served(TrustSnapshot snapshot, ClusterName primary) =>
        from spec in snapshot.Topology.Clusters
        where (spec.Primary ?? spec.Name) == primary
        select Of(snapshot, spec.Name);

    private static IReadOnlyList<string> Names(ClusterSnapshot cluster, string revision)
    {
        var own = $"istiod{(revision.Length == 0 ? "" : $"-{revision}")}.{cluster.Live.Namespace}.svc";
        return [own, .. cluster.IstiodNames.Where(n => n != own)];
    }

    private static async Task<string> TokenAsync(IClusterApi api, string ns, CancellationToken cancellationToken)
    {
        var request = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject { ["audiences"] = new JsonArray("istio-ca"), ["expirationSeconds"] = 600 },
        };
        var answer = await api.PostObjectAsync("v1", $"serviceaccounts/{Account}/token", ns, request, cancellationToken)
            .ConfigureAwait(false);
        return answer["status"]!["token"]!.GetValue<string>();
    }

    private static ClusterSnapshot Of(TrustSnapshot snapshot, ClusterName name) => snapshot.Clusters.First(c => c.Name == name);

    internal static string Explain(MeshTrustException fault) => $"{fault.Problems[0].Message} {fault.Problems[0].Hint}";
}
