using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>Provides the clusters of a mesh.</summary>
internal interface IClusterProvider
{
    /// <summary>The name that <c>--provider</c> takes.</summary>
    ProviderChoice Choice { get; }

    /// <summary>Makes the clusters of the topology reachable: creates or starts what is missing, keeps what exists.</summary>
    /// <remarks>Idempotent. The clusters run until the set is disposed; disposing it never removes a cluster's state.</remarks>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.ClusterCreation"/> or <see cref="Stage.Contexts"/>.</exception>
    Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken);
}

/// <summary>How to reach one cluster: a kubeconfig file and the context in it. Nothing here is secret; the file is.</summary>
public sealed record ClusterAccess
{
    /// <summary>The cluster's name in the topology.</summary>
    public required ClusterName Name { get; init; }

    /// <summary>The kubeconfig file (absolute path).</summary>
    public required string KubeconfigPath { get; init; }

    /// <summary>The context in that file; the current-context of the file is never used.</summary>
    public required string ContextName { get; init; }

    /// <summary>The context of the user's own kubeconfig that this is a copy of; null if there is none.</summary>
    internal ResolvedContext? Origin { get; init; }
}

/// <summary>What a provider did for a cluster.</summary>
internal enum ClusterOutcome
{
    /// <summary>It did not exist and was created.</summary>
    Created,

    /// <summary>An earlier run created it; it was started again with its state.</summary>
    Restarted,

    /// <summary>It was already running.</summary>
    Kept,

    /// <summary>It is the user's own cluster: nothing was created and nothing will be removed.</summary>
    Existing,
}

/// <summary>One cluster of a set: how to reach it, and what was done for it.</summary>
internal sealed record ProvidedCluster
{
    /// <summary>How to reach it.</summary>
    public required ClusterAccess Access { get; init; }

    /// <summary>What was done.</summary>
    public required ClusterOutcome Outcome { get; init; }

    /// <summary>One sentence for people, for instance <c>https://127.0.0.1:40123, 2 secrets kept from the last run</c>.</summary>
    public required string Detail { get; init; }

    /// <summary>The addresses that its load balancer assigns (<c>LB_POOL_CLUSTERn</c>); empty if MeshTrust set up none.</summary>
    public IReadOnlyList<IpRange> LoadBalancerPool { get; init; } = [];
}

/// <summary>The clusters of a mesh, reachable until this is disposed.</summary>
/// <param name="clusters">One entry for each cluster, in the order of the topology.</param>
/// <param name="dispose">Stops what was started for the set.</param>
/// <param name="fault">Why a cluster of the set exited while it was in use; null while it runs.</param>
internal sealed class ClusterSet(
    IReadOnlyList<ProvidedCluster> clusters, Func<ValueTask>? dispose = null, Func<ClusterName, Problem?>? fault = null) : IAsyncDisposable
{
    private Func<ValueTask>? _dispose = dispose;

    /// <summary>One entry for each cluster, in the order of the topology.</summary>
    public IReadOnlyList<ProvidedCluster> Clusters { get; } = clusters;

    /// <summary>Why a cluster exited while it was in use; null if it runs or the reason is unknown.</summary>
    public Problem? FaultOf(ClusterName cluster) => fault?.Invoke(cluster);

    /// <summary>Stops what was started for this set. It may be called twice.</summary>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _dispose, null)?.Invoke() ?? ValueTask.CompletedTask;
}
