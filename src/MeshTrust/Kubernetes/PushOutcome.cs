using MeshTrust.Topology;

namespace MeshTrust.Kubernetes;

/// <summary>What a push did to one cluster.</summary>
public sealed record PushOutcome
{
    /// <summary>The cluster's name in the topology.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>What happened to the namespace.</summary>
    public required ApplyOutcome Namespace { get; init; }

    /// <summary>What happened to the secret <c>cacerts</c>.</summary>
    public required ApplyOutcome Secret { get; init; }

    /// <summary>What somebody should know about this cluster.</summary>
    public IReadOnlyList<Problem> Warnings { get; init; } = [];
}
