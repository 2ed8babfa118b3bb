using System.Net;
using System.Text.Json.Serialization;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>The JSON of <see cref="AddressLock"/>.</summary>
internal sealed record AddressLockDocument
{
    internal const int Known = 1;

    public int Version { get; init; }

    public IReadOnlyList<AddressLockEntry> Clusters { get; init; } = [];
}

/// <summary>The JSON of one cluster's addresses.</summary>
internal sealed record AddressLockEntry
{
    public required string Name { get; init; }

    public IReadOnlyList<string> PodSubnets { get; init; } = [];

    public IReadOnlyList<string> ServiceSubnets { get; init; } = [];

    public IReadOnlyList<string> LoadBalancerPool { get; init; } = [];

    public IReadOnlyList<string>? Asked { get; init; }

    internal static AddressLockEntry Of(ClusterAddresses addresses) => new()
    {
        Name = addresses.Cluster.Value,
        PodSubnets = [.. addresses.PodSubnets.Select(s => s.ToString())],
        ServiceSubnets = [.. addresses.ServiceSubnets.Select(s => s.ToString())],
        LoadBalancerPool = [.. addresses.LoadBalancerPool.Select(p => p.ToString())],
        Asked = addresses.Asked is { Count: > 0 } asked ? asked : null,
    };

    /// <exception cref="FormatException">A name or a range is none.</exception>
    internal ClusterAddresses ToAddresses() => new()
    {
        Cluster = ClusterName.Parse(Name),
        PodSubnets = [.. PodSubnets.Select(Subnet)],
        ServiceSubnets = [.. ServiceSubnets.Select(Subnet)],
        LoadBalancerPool = [.. LoadBalancerPool.Select(IpRange.Parse)],
        Asked = Asked ?? [],
    };

    private static IPNetwork Subnet(string text) => ValueParsers.Subnet(text, out var range) is { } complaint ? throw new FormatException(complaint.Message) : range;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NewLine = "\n", DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(AddressLockDocument))]
internal sealed partial class AddressLockContext : JsonSerializerContext;
