using System.Net;
using System.Text.Json.Serialization;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>How far the making of a cluster came.</summary>
internal enum KindPhase
{
    /// <summary>It has begun and not ended: what is there may be half a cluster.</summary>
    Creating,
    Ready,
}

/// <summary>
/// What MeshTrust made: <c>kind/&lt;cluster&gt;/state.json</c>, written before kind begins and after the cluster is ready.
/// </summary>
internal sealed record KindState
{
    public const string FileName = "state.json";

    private static readonly StateFile<KindState> File = new(KindStateContext.Default.KindState, (path, reason) => new MeshTrustException(
        Stage.ClusterCreation, new Problem(ProblemCodes.StateUnreadable, path,
            $"The file that says what MeshTrust made cannot be read: {reason}.",
            "Put it back as it was, or remove it: the cluster then counts as one that MeshTrust did not make, and --adopt takes it " +
                "over.")));

    public required KindPhase Phase { get; init; }
    public required string Mesh { get; init; }

    /// <summary>When making it began (UTC): a node that is older is not ours.</summary>
    public required DateTimeOffset Started { get; init; }
    public string? Image { get; init; }
    public IReadOnlyDictionary<string, string> Nodes { get; init; } = new Dictionary<string, string>();

    /// <summary>The addresses that the nodes had, by name: after a restart of the engine they may be others.</summary>
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
