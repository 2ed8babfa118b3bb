using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>One version of one object, immutable. The JSON holds neither apiVersion nor kind, as items of lists have it.</summary>
internal sealed class StoredObject
{
    private StoredObject(ObjectKind kind, string namespaceName, string name, long revision, byte[] json, IReadOnlyDictionary<string, string> labels, string? type)
    {
        Kind = kind;
        Namespace = namespaceName;
        Name = name;
        Revision = revision;
        Json = json;
        Labels = labels;
        Type = type;
    }

    public ObjectKind Kind { get; }

    public string Namespace { get; }

    public string Name { get; }

    public long Revision { get; }

    public byte[] Json { get; }

    public IReadOnlyDictionary<string, string> Labels { get; }

    /// <summary>A secret's type or a namespace's phase: what field selectors may ask for.</summary>
    public string? Type { get; }

    public string Key => KeyOf(Namespace, Name);

    public static string KeyOf(string namespaceName, string name) => namespaceName.Length == 0 ? name : $"{namespaceName}/{name}";

    /// <summary>Freezes an object under a revision. The object is changed: it gets that resourceVersion.</summary>
    public static StoredObject Freeze(ObjectKind kind, JsonObject source, long revision)
    {
        source.Remove("apiVersion");
        source.Remove("kind");
        ((JsonObject)source["metadata"]!)["resourceVersion"] = JsonText.Number(revision);
        return Capture(kind, source, revision);
    }

    /// <summary>What a dry run would have stored, with whatever resourceVersion it has.</summary>
    public static StoredObject FreezeDry(ObjectKind kind, JsonObject source)
    {
        source.Remove("apiVersion");
        source.Remove("kind");
        return Capture(kind, source, 0);
    }

    /// <summary>A copy that the caller may change.</summary>
    public JsonObject Thaw() => (JsonObject)JsonNode.Parse(Json)!;

    public override string ToString() => $"{Kind} {Key} at {Revision}";

    private static StoredObject Capture(ObjectKind kind, JsonObject source, long revision)
    {
        var metadata = (JsonObject)source["metadata"]!;
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        if (metadata["labels"] is JsonObject l)
            foreach (var (key, value) in l) labels[key] = value!.GetValue<string>();
        return new StoredObject(
            kind,
            metadata["namespace"]?.GetValue<string>() ?? string.Empty,
            metadata["name"]!.GetValue<string>(),
            revision,
            JsonText.ToUtf8(source),
            labels,
            kind == ObjectKind.Namespace ? source["status"]?["phase"]?.GetValue<string>() : source["type"]?.GetValue<string>());
    }
}
