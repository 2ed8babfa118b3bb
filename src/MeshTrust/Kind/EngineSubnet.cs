using System.Net;

namespace MeshTrust.Kind;

/// <summary>One address range of a container network.</summary>
public sealed record EngineSubnet
{
    /// <summary>The range.</summary>
    public required IPNetwork Range { get; init; }

    /// <summary>The host's own address in it; null where the engine does not say.</summary>
    public IPAddress? Gateway { get; init; }

    /// <summary>The part from which containers get addresses; null for all of it.</summary>
    public IPNetwork? IpRange { get; init; }

    /// <summary>Addresses that the network's maker kept back.</summary>
    public IReadOnlyList<IPAddress> Auxiliary { get; init; } = [];
}
