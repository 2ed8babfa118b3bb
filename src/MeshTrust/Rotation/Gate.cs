using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace MeshTrust.Rotation;

/// <summary>What every rotation requires before it goes on: the proof of all pairs, by the secrets and by what istiods issue.</summary>
internal static class Gate
{
    /// <exception cref="MeshTrustException">MT5501.</exception>
    internal static void RequireTrust(string where, TrustMatrix matrix, string when, bool mustBeComplete)
    {
        if (matrix.Pairs.FirstOrDefault(p => p.Trusted is false) is { } broken)
            throw Closed("MT5501", where, $"A workload of '{broken.From}' is not trusted in '{broken.To}' {when}: {broken.Reason}.",
                "The rotation stopped here. Run --target=Verify for all findings. Fix them and run this again, or run --target=Rollback.");
        if (mustBeComplete && matrix.Pairs.FirstOrDefault(p => p.Trusted is null) is { } unknown)
            throw Closed("MT5501", where, $"Trust of '{unknown.From}' in '{unknown.To}' could not be tested {when}: {unknown.Reason}.",
                "The rotation stopped here. Run --target=Verify and fix what it reports, then run this again.");
    }

    internal static Task<LiveReading> AskAsync(
        TrustSnapshot snapshot, IReadOnlyList<ClusterAccess> clusters, Func<Stage, Func<ClusterAccess, IClusterApi>> connect,
        TimeProvider time, TimeSpan wait, Action<string> waiting, CancellationToken cancellationToken) =>
        new LiveReader(time, snapshot.Clusters.Count)
            .ReadAsync(snapshot, clusters, connect(Stage.Verification), wait, waiting, cancellationToken);

    /// <summary>Every istiod that was asked, or that of one cluster, must sign with the CA of its secret.</summary>
    /// <exception cref="MeshTrustException">MT5503.</exception>
    internal static void RequireLoaded(TrustSnapshot snapshot, LiveReading live, ClusterName? only, TimeSpan waited)
    {
        foreach (var istiod in live.Istiods.Where(i => only is null || i.Cluster == only))
        {
            var cluster = snapshot.Clusters.First(c => c.Name == istiod.Cluster);
            if (istiod.IsCurrent(cluster.Bundle) is not false) continue;
            throw Closed("MT5503", istiod.Cluster.Value,
                $"{istiod.Name} did not load the new CA within {Text.Duration(waited)}. It still signs with the previous one, which is "
                + "valid.",
                "Run this again to go on waiting (--wait-live=10m waits longer), or run --target=Rollback. istiod's log says why it did "
                + $"not load the files: {cluster.Live.Kubectl} logs {istiod.Pod} | grep -iE 'intermediate CA|plug-in CA'");
        }
    }

    internal static string Describe(TrustMatrix live) => live.Pairs.Count == 0
        ? "every pair of clusters proven by the secrets; no istiod was asked"
        : $"every pair of clusters proven, {live.Trusted} of {live.Pairs.Count} with certificates that istiod issued";

    private static MeshTrustException Closed(string id, string where, string message, string hint) =>
        new(Stage.Verification, new Problem(id, where, message, hint));
}
