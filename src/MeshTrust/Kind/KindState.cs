using System.Net;
using System.Text.Json;

namespace MeshTrust.Kind;

/// <summary>What MeshTrust made: <c>kind/&lt;cluster&gt;/state.json</c> of the work directory, written before kind begins and after the cluster is ready.</summary>
public sealed record KindState
{
    /// <summary>Its file's name.</summary>
    public const string FileName = "state.json";

    /// <summary>How far it came.</summary>
    public required KindPhase Phase { get; init; }

    /// <summary>The mesh's name.</summary>
    public required string Mesh { get; init; }

    /// <summary>When making it began (UTC): a node that is older is not ours.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>The container ids by name; empty while it is being made.</summary>
    public IReadOnlyDictionary<string, string> Nodes { get; init; } = new Dictionary<string, string>();

    /// <summary>The image that the plan named (<see cref="KindPlan.Image"/>); null for kind's default.</summary>
    public string? Image { get; init; }

    /// <summary>What was made.</summary>
    public required KindShape Shape { get; init; }

    /// <summary>The cluster's addresses.</summary>
    public required ClusterAddresses Addresses { get; init; }

    /// <summary>The addresses that the nodes had, by name: after a restart of the engine they may be others.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<IPAddress>> NodeAddresses { get; init; } = new Dictionary<string, IReadOnlyList<IPAddress>>();

    /// <summary>The files that were written into every node.</summary>
    public IReadOnlyList<NodeFile> NodeFiles { get; init; } = [];

    /// <summary>Reads the file's text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="place">The file, for messages.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.ClusterCreation"/>: MT2301, it is no state file that this version reads.</exception>
    public static KindState Parse(string json, string place)
    {
        try
        {
            var document = JsonSerializer.Deserialize(json, KindStateContext.Default.KindStateDocument);
            if (document?.Version != KindStateDocument.Known) throw new FormatException($"its version is not {KindStateDocument.Known}");
            return document.ToState();
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException)
        {
            throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2301", place,
                $"The file that says what MeshTrust made cannot be read: {(e is JsonException bad ? $"no JSON of this kind near line {bad.LineNumber + 1}" : e.Message.TrimEnd('.'))}.",
                "Put it back as it was, or remove it: the cluster then counts as one that MeshTrust did not make, and --adopt takes it over."), e);
        }
    }

    /// <summary>The file's text.</summary>
    public string ToJson() => JsonSerializer.Serialize(KindStateDocument.Of(this), KindStateContext.Default.KindStateDocument) + "\n";
}
