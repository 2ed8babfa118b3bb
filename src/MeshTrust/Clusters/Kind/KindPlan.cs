using MeshTrust.Clusters.Addressing;
using MeshTrust.Clusters.Engine;
using MeshTrust.Topology;

namespace MeshTrust.Clusters.Kind;

/// <summary>How kind makes one cluster.</summary>
public sealed record KindPlan
{
    /// <summary>The cluster.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>The node image, with its digest where that is known; null for kind's own default.</summary>
    public required string? Image { get; init; }

    /// <summary>kind's configuration (v1alpha4 YAML).</summary>
    public required string ConfigYaml { get; init; }

    /// <summary>What decides whether a cluster that is there fits.</summary>
    public required KindShape Shape { get; init; }

    /// <summary>A stable hash of <see cref="Shape"/>: 64 hexadecimal digits.</summary>
    public string Hash => Shape.Hash;

    /// <summary>The names of the containers: <c>c-control-plane</c>, <c>c-control-plane2</c> …, <c>c-worker</c> …, and <c>c-external-load-balancer</c> where there are several control planes.</summary>
    public IReadOnlyList<string> Nodes => Shape.Nodes;

    /// <summary>The cluster's addresses.</summary>
    public required ClusterAddresses Addresses { get; init; }

    /// <summary>Files that every Kubernetes node needs before images are pulled: <c>hosts.toml</c> of each registry.</summary>
    public IReadOnlyList<NodeFile> NodeFiles { get; init; } = [];

    /// <summary>Flags that the patches must have set, to be read back from the cluster.</summary>
    public IReadOnlyList<PlannedFlag> Flags { get; init; } = [];

    /// <summary>Names that the API server's certificate must have.</summary>
    public IReadOnlyList<string> CertificateNames { get; init; } = [];

    /// <summary>What does not stop a run, such as a version of kind that is not known.</summary>
    public IReadOnlyList<Problem> Warnings { get; init; } = [];

    /// <summary>Plans every cluster.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="snapshot">The engine, and kind's version.</param>
    /// <param name="addresses">The clusters' addresses.</param>
    /// <param name="overlayYaml">The text of the kind configuration that every cluster's is laid over (<see cref="Topology.Hosting.HostingSpec.KindConfigFile"/>); null for none.</param>
    /// <returns>The plans in the order of the topology.</returns>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Preflight"/>, with all problems at once: MT2401 to MT2409.</exception>
    public static IReadOnlyList<KindPlan> For(MeshTopology topology, EngineSnapshot snapshot, AddressPlan addresses, string? overlayYaml) => throw new NotImplementedException();
}
