namespace MeshTrust.Clusters;

/// <summary>The clusters of a mesh, reachable for as long as this is not disposed.</summary>
public sealed class ClusterSet(IReadOnlyList<ProvidedCluster> clusters, Func<ValueTask>? dispose = null) : IAsyncDisposable
{
    private Func<ValueTask>? _dispose = dispose;

    /// <summary>One entry for each cluster, in the order of the topology.</summary>
    public IReadOnlyList<ProvidedCluster> Clusters { get; } = clusters;

    /// <summary>Stops what was started for this set. It may be called twice.</summary>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _dispose, null)?.Invoke() ?? ValueTask.CompletedTask;
}
