using System.Net;
using System.Text.Json.Serialization;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>How far the creation of a cluster got.</summary>
internal enum KindPhase
{
    /// <summary>Creation began and did not finish: the cluster may be incomplete.</summary>
    Creating,
    Ready,
}

/// <summary>
/// What MeshTrust created: <c>kind/&lt;cluster&gt;/state.json</c>, written before kind begins and after the cluster is ready.
/// </summary>
internal sealed record KindState
{
    public const string FileName = "state.json";

    private static readonly StateFile<KindState> File = new(KindStateContext.Default.KindState, (path, reason) => new MeshTrustException(
        Stage.ClusterCreation, new Problem(ProblemCodes.StateUnreadable, path,
            $"The record of what MeshTrust created cannot be read: {reason}.",
            "Restore the file, or delete it: MeshTrust then treats the cluster as not its own, and --adopt takes it over.")));

    public required KindPhase Phase { get; init; }
    public required string Mesh { get; init; }

    /// <summary>When its creation began (UTC): MeshTrust did not create a node that is older.</summary>
    public required DateTimeOffset Started { get; init; }
    public string? Image { get; init; }
    public IReadOnlyDictionary<string, string> Nodes { get; init; } = new Dictionary<string, string>();

    /// <summary>The addresses that the nodes had, by name: they may change when the engine restarts.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<IPAddress>> NodeAddresses { get; init; } =
        new Dictionary<string, IReadOnlyList<IPAddress>>();

    public IReadOnlyList<NodeFile> NodeFiles { get; init; } = [];
    public required ClusterAddresses Addresses { get; init; }
    public required KindShape Shape { get; init; }

    public static KindState Parse(string json, string path) => File.Parse(json, path);
    public string ToJson() => File.ToJson(this);
}

internal sealed class ClusterNameConverter() : TextConverter<ClusterName>(ClusterName.Parse);

internal sealed class IpRangeConverter() : TextConverter<IpRange>(IpRange.Parse);

internal sealed class IPAddressConverter() : TextConverter<IPAddress>(IPAddress.Parse);

internal sealed class IPNetworkConverter() : TextConverter<IPNetwork>(text =>
    ValueParsers.Subnet(text, out var range) is { } complaint ? throw new FormatException(complaint.Message) : range);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true,
    NewLine = "\n", IgnoreReadOnlyProperties = true, DefaultIgnoreCondition =
        JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true,
    Converters = [typeof(ClusterNameConverter), typeof(IpRangeConverter), typeof(IPAddressConverter), typeof(IPNetworkConverter)])]
[JsonSerializable(typeof(KindState))]
[JsonSerializable(typeof(AddressLock))]
internal sealed partial class KindStateContext : JsonSerializerContext;
