using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>The clusters of a mesh, reachable for as long as this is not disposed.</summary>
/// <param name="clusters">One entry for each cluster, in the order of the topology.</param>
/// <param name="dispose">Stops what was started for the set.</param>
/// <param name="fault">What ended a cluster of the set while it was in use; null while it runs.</param>
public sealed class ClusterSet(IReadOnlyList<ProvidedCluster> clusters, Func<ValueTask>? dispose = null, Func<ClusterName, Problem?>? fault = null) : IAsyncDisposable
{
    private Func<ValueTask>? _dispose = dispose;

    /// <summary>One entry for each cluster, in the order of the topology.</summary>
    public IReadOnlyList<ProvidedCluster> Clusters { get; } = clusters;

    /// <summary>What ended a cluster while it was in use; null where it runs, or nobody here would know.</summary>
    public Problem? FaultOf(ClusterName cluster) => fault?.Invoke(cluster);

    /// <summary>Stops what was started for this set. It may be called twice.</summary>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _dispose, null)?.Invoke() ?? ValueTask.CompletedTask;
}
