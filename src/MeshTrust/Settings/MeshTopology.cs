
namespace MeshTrust.Settings;

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

    /// <summary>What the user wants of clusters that a container engine makes.</summary>
    public KindSpec Kind { get; init; } = KindSpec.Default;

    /// <summary>
    /// Message <see cref="Provider"/> comes to as far as a topology can know: never <see cref="ProviderChoice.Auto"/>. Whether kind or native clusters can take the
    /// place of embedded ones is known to the machine alone.
    /// </summary>
    public ProviderChoice EffectiveProvider => Provider switch
    {
        ProviderChoice.Auto when Clusters.All(c => c.Context is not null || c.Kubeconfig is not null) => ProviderChoice.Existing,
        ProviderChoice.Auto => ProviderChoice.Embedded,
        _ => Provider,
    };
}
