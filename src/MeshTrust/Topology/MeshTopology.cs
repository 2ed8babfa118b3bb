namespace MeshTrust.Topology;

/// <summary>What the user wants: the clusters of one mesh and the trust they share. Immutable; it came through <c>TopologyValidator</c>.</summary>
public sealed record MeshTopology
{
    /// <summary>The mesh's name (metadata.name of the file).</summary>
    public string Name { get; init; } = "mesh";

    /// <summary>The clusters, in the order of the file: the n-th is <c>CTX_CLUSTERn</c>. At least one.</summary>
    public required IReadOnlyList<ClusterSpec> Clusters { get; init; }

    /// <summary>The common trust.</summary>
    public TrustSpec Trust { get; init; } = TrustSpec.Default;

    /// <summary>Where clusters come from.</summary>
    public ProviderChoice Provider { get; init; } = ProviderChoice.Auto;

    /// <summary>Sidecars or ambient: ambient allows no more than one root.</summary>
    public DataPlaneMode Mode { get; init; } = DataPlaneMode.Sidecar;
}
