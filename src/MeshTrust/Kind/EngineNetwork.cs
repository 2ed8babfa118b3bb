using System.Net;

namespace MeshTrust.Kind;

/// <summary>One container network.</summary>
public sealed record EngineNetwork
{
    /// <summary>Its id: two networks may have one name.</summary>
    public required string Id { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its driver, such as <c>bridge</c>.</summary>
    public string Driver { get; init; } = "bridge";

    /// <summary>Whether IPv6 is on.</summary>
    public bool HasIpv6 { get; init; }

    /// <summary>Its ranges, of either family in any order; empty for <c>host</c> and <c>none</c>.</summary>
    public IReadOnlyList<EngineSubnet> Subnets { get; init; } = [];

    /// <summary>The running containers in it, by name, with their addresses.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<IPAddress>> Members { get; init; } = new Dictionary<string, IReadOnlyList<IPAddress>>();

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}
