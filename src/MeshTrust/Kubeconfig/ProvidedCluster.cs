using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>One cluster of a set: how to reach it, and what had to be done for it.</summary>
public sealed record ProvidedCluster
{
    /// <summary>How to reach it.</summary>
    public required ClusterAccess Access { get; init; }

    /// <summary>What had to be done.</summary>
    public required ClusterOutcome Outcome { get; init; }

    /// <summary>One sentence for people, for instance <c>https://127.0.0.1:40123, 2 secrets kept from the last run</c>.</summary>
    public required string Detail { get; init; }

    /// <summary>The addresses that its load balancer gives out (<c>LB_POOL_CLUSTERn</c>); empty for none of ours.</summary>
    public IReadOnlyList<IpRange> LoadBalancerPool { get; init; } = [];
}
