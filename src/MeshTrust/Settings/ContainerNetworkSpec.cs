using System.Net;

namespace MeshTrust.Settings;

/// <summary>What the user wants of the network that the nodes of all clusters join.</summary>
public sealed record ContainerNetworkSpec
{
    /// <summary>Its name (<c>--docker-network</c>, <c>KIND_EXPERIMENTAL_DOCKER_NETWORK</c>).</summary>
    public string Name { get; init; } = "kind";

    /// <summary>Whether it is made beforehand, with <see cref="Subnets"/> and <see cref="IpRange"/>; otherwise with kind's own options.</summary>
    public bool Create { get; init; }

    /// <summary>Its ranges, at most one for each family; empty where the engine chooses.</summary>
    public IReadOnlyList<IPNetwork> Subnets { get; init; } = [];

    /// <summary>The part of the IPv4 range from which containers get addresses; null for all of it.</summary>
    public IPNetwork? IpRange { get; init; }
}
