using System.Net;
using System.Text.Json.Serialization;

namespace MeshTrust.Kind;

/// <summary>The JSON of <see cref="KindState"/>.</summary>
internal sealed record KindStateDocument
{
    internal const int Known = 1;

    public int Version { get; init; }

    public required KindPhase Phase { get; init; }

    public required string Mesh { get; init; }

    public required DateTimeOffset Started { get; init; }

    public string? Image { get; init; }

    public IReadOnlyDictionary<string, string> Nodes { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, IReadOnlyList<string>> NodeAddresses { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    public IReadOnlyList<NodeFile> NodeFiles { get; init; } = [];

    public required AddressLockEntry Addresses { get; init; }

    public required KindShape Shape { get; init; }

    internal static KindStateDocument Of(KindState state) => new()
    {
        Version = Known,
        Phase = state.Phase,
        Mesh = state.Mesh,
        Started = state.Started,
        Image = state.Image,
        Nodes = state.Nodes,
        NodeAddresses = state.NodeAddresses.ToDictionary(n => n.Key, n => (IReadOnlyList<string>)[.. n.Value.Select(a => a.ToString())]),
        NodeFiles = state.NodeFiles,
        Addresses = AddressLockEntry.Of(state.Addresses),
        Shape = state.Shape,
    };

    /// <exception cref="FormatException">A name or an address is none.</exception>
    internal KindState ToState() => new()
    {
        Phase = Phase,
        Mesh = Mesh,
        Started = Started,
        Image = Image,
        Nodes = Nodes,
        NodeAddresses = NodeAddresses.ToDictionary(n => n.Key, n => (IReadOnlyList<IPAddress>)[.. n.Value.Select(IPAddress.Parse)]),
        NodeFiles = NodeFiles,
        Addresses = Addresses.ToAddresses(),
        Shape = Shape,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true, NewLine = "\n", IgnoreReadOnlyProperties = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(KindStateDocument))]
internal sealed partial class KindStateContext : JsonSerializerContext;
