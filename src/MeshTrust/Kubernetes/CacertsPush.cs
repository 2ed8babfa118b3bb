using MeshTrust.Kubeconfig;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>Brings every cluster its secret: the namespace with its labels first, then <c>cacerts</c>, if <see cref="PushGuard"/> agrees.</summary>
public static class CacertsPush
{
    /// <summary>The label by which istiod knows the network of its namespace's gateways (pilot/pkg/serviceregistry/kube/controller/network.go).</summary>
    public const string NetworkLabel = "topology.istio.io/network";

    /// <summary>The annotation by which a primary knows the remote clusters that it serves (pilot multicluster; Istio's own test framework sets it).</summary>
    public const string ControlPlanesAnnotation = "topology.istio.io/controlPlaneClusters";

    /// <summary>Writes several clusters at once. Every cluster is tried; a fault in one stops no other.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="clusters">How each cluster is reached, in the order of the topology.</param>
    /// <param name="connect">Opens one cluster; it is closed again here.</param>
    /// <param name="cacerts">The four files of a cluster, verified.</param>
    /// <param name="settings">What the user allows.</param>
    /// <param name="cancellationToken">Ends the push; a secret is then as it was or as wanted, never a mixture.</param>
    public static async Task<PushReport> RunAsync(
        MeshTopology topology,
        IReadOnlyList<ClusterAccess> clusters,
        Func<ClusterAccess, IClusterApi> connect,
        Func<ClusterName, ClusterCacerts> cacerts,
        CacertsPushSettings settings,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentNullException.ThrowIfNull(settings);
        var outcomes = new PushOutcome[topology.Clusters.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, settings.Parallel), CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, outcomes.Length, options, async (i, ct) =>
        {
            var cluster = topology.Clusters[i];
            var outcome = new Progress(cluster.Name);
            try
            {
                var access = clusters.FirstOrDefault(c => c.Name == cluster.Name) ?? throw Unreachable(cluster.Name);
                using var api = connect(access);
                await PushAsync(api, cluster, topology.Trust.Namespace, cacerts(cluster.Name), settings, outcome, ct).ConfigureAwait(false);
            }
            catch (MeshTrustException e)
            {
                outcome.Current = outcome.Current with { Problems = [.. e.Problems.Select(p => p.Location == cluster.Name.Value ? p : p with { Location = $"{cluster.Name}: {p.Location}" })] };
            }
            outcomes[i] = outcome.Current;
        }).ConfigureAwait(false);
        return new PushReport { Outcomes = outcomes };
    }

    private static async Task PushAsync(
        IClusterApi api, ClusterSpec cluster, string namespaceName, ClusterCacerts cacerts, CacertsPushSettings settings, Progress outcome, CancellationToken cancellationToken)
    {
        var found = api.ReadNamespaceAsync(namespaceName, cancellationToken);
        var live = await LiveTrust.ReadAsync(api, namespaceName, cancellationToken).ConfigureAwait(false);
        var verdict = PushGuard.Inspect(live, cacerts, namespaceName, settings);
        if (verdict.RootDiffers)
            verdict = PushGuard.Inspect(await live.WithAllNamespacesAsync(api, cancellationToken).ConfigureAwait(false), cacerts, namespaceName, settings);
        outcome.Current = outcome.Current with { Problems = verdict.Problems, Warnings = verdict.Warnings };
        var held = await found.ConfigureAwait(false);
        if (held?.Terminating == true) outcome.Current = outcome.Current with { Problems = [.. verdict.Problems, Terminating(cluster.Name, namespaceName)] };
        if (outcome.Current.Problems.Count > 0) return;

        var wanted = Namespace(cluster, namespaceName);
        // A user who may write one secret but no namespaces can still push where the namespace is as it should be.
        var done = Holds(held, wanted) ? ApplyOutcome.Unchanged : await api.ApplyNamespaceAsync(wanted, settings.Force, cancellationToken).ConfigureAwait(false);
        outcome.Current = outcome.Current with { Namespace = done };
        var secret = await api.ApplySecretAsync(verdict.Secret, settings.Force || verdict.PutsBack, cancellationToken).ConfigureAwait(false);
        // The mark is istiod's, so no apply of ours removes it; while it stands, istiod takes the secret for its own.
        if (verdict.RemovesGeneratedMark) await api.RemoveSecretKeyAsync(namespaceName, CacertsSecret.Name, CacertsSecret.GeneratedMark, cancellationToken).ConfigureAwait(false);
        outcome.Current = outcome.Current with { Secret = verdict.RemovesGeneratedMark ? ApplyOutcome.Changed : secret };
    }

    /// <summary>The namespace as a cluster needs it.</summary>
    public static NamespaceSpec Namespace(ClusterSpec cluster, string namespaceName)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return new NamespaceSpec
        {
            Name = namespaceName,
            Labels = cluster.Network is { } network ? new Dictionary<string, string> { [NetworkLabel] = network } : [],
            Annotations = cluster.Primary is { } primary && primary != cluster.Name ? new Dictionary<string, string> { [ControlPlanesAnnotation] = primary.Value } : [],
        };
    }

    private static bool Holds(NamespaceDocument? held, NamespaceSpec wanted) =>
        held is { Terminating: false }
        && wanted.Labels.All(l => held.Labels.GetValueOrDefault(l.Key) == l.Value)
        && wanted.Annotations.All(a => held.Annotations.GetValueOrDefault(a.Key) == a.Value);

    private static MeshTrustException Unreachable(ClusterName cluster) => new(Stage.Push, new Problem("MT5220", cluster.Value,
        "No kubeconfig context is known for this cluster, so nothing was pushed to it.",
        "Run SetContexts first."));

    private static Problem Terminating(ClusterName cluster, string namespaceName) => new("MT5208", cluster.Value,
        $"The namespace '{namespaceName}' is being deleted, so nothing is written into it.",
        "Wait until it is gone (kubectl get namespace), see which finalizer holds it if it stays, then run again.");

    /// <summary>How far a cluster has come, also where a fault ends it.</summary>
    private sealed class Progress(ClusterName cluster)
    {
        internal PushOutcome Current { get; set; } = new() { Cluster = cluster };
    }
}
