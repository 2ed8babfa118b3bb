using System.Net;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>The addresses of one cluster. Where it is dual-stack, each list has IPv4 first.</summary>
public sealed record ClusterAddresses
{
    /// <summary>The cluster.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>Its pods' ranges, one for each family.</summary>
    public required IReadOnlyList<IPNetwork> PodSubnets { get; init; }

    /// <summary>Its services' ranges, one for each family.</summary>
    public required IReadOnlyList<IPNetwork> ServiceSubnets { get; init; }

    /// <summary>What its load balancer gives out; empty where it has none of ours, or where the nodes' network is not there yet.</summary>
    public IReadOnlyList<IpRange> LoadBalancerPool { get; init; } = [];

    /// <summary>
    /// Which of them were not given out: <c>podSubnet</c>, <c>serviceSubnet</c> or <c>loadBalancerPool</c> that the user named, or that a cluster had
    /// when it was taken over. They are kept as long as the cluster is there, whatever the scheme of addresses would give.
    /// </summary>
    public IReadOnlyList<string> Asked { get; init; } = [];
}
