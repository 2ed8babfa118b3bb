namespace MeshTrust.Kubernetes;

/// <summary>Message <see cref="ContextsCheck"/> found where nothing stands in the way.</summary>
public sealed record ContextsReport
{
    /// <summary>One entry for each cluster, in the order of the topology.</summary>
    public required IReadOnlyList<ReachableCluster> Clusters { get; init; }

    /// <summary>What somebody should know, for instance a version that Istio does not list.</summary>
    public required IReadOnlyList<Problem> Warnings { get; init; }
}
