using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>What a push did to one cluster.</summary>
public sealed record PushOutcome
{
    /// <summary>The cluster's name in the topology.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>What happened to the namespace; null where the push did not come that far.</summary>
    public ApplyOutcome? Namespace { get; init; }

    /// <summary>What happened to the secret <c>cacerts</c>; null where it was not written.</summary>
    public ApplyOutcome? Secret { get; init; }

    /// <summary>Why the cluster does not hold what it should; empty where it does.</summary>
    public IReadOnlyList<Problem> Problems { get; init; } = [];

    /// <summary>What somebody should know about this cluster.</summary>
    public IReadOnlyList<Problem> Warnings { get; init; } = [];

    /// <summary>Whether the cluster holds the secret as wanted, confirmed by its API server.</summary>
    public bool Succeeded => Problems.Count == 0 && Secret is not null;
}
