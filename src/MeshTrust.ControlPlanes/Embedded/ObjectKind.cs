using System.Text;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// The stored kinds: one row each, with names, schema, defaults, rules, columns. Paths, discovery, apply, selectors, tables and state
/// are derived from the row.
/// </summary>
internal sealed class ObjectKind(string kind, string plural, params string[] shortNames)
{
    private static readonly StructField Metadata = new(
        ("name", 1, FieldType.Text),
        ("generateName", 2, FieldType.Text),
        ("namespace", 3, FieldType.Text),
        ("selfLink", 4, FieldType.Text),
        ("uid", 5, FieldType.Text),
        ("resourceVersion", 6, FieldType.Text),
        ("generation", 7, FieldType.Number),
        ("creationTimestamp", 8, FieldType.Time),
        ("deletionTimestamp", 9, FieldType.Time),
        ("deletionGracePeriodSeconds", 10, FieldType.Number),
        ("labels", 11, FieldType.TextMap),
        ("annotations", 12, FieldType.TextMap),
        ("ownerReferences", 13, FieldType.Atomic),
        ("finalizers", 14, FieldType.TextSet),
        ("clusterName", 15, FieldType.Text),
        ("managedFields", 17, FieldType.Atomic));

    public static readonly ObjectKind ConfigMap = new("ConfigMap", "configmaps", "cm")
    {
        Fields = [("data", 2, FieldType.TextMap), ("binaryData", 3, FieldType.BytesMap), ("immutable", 4, FieldType.Boolean)],
        Check = ObjectValidation.CheckConfigMap,
        Columns = [("Data", CountData)],
    };

    public static readonly ObjectKind Namespace = new("Namespace", "namespaces", "ns")
    {
        IsNamespaced = false,
        Fields =
        [
            ("spec", 2, new StructField(("finalizers", 1, FieldType.Atomic))),
            ("status", 3, new StructField(("phase", 1, FieldType.Text), ("conditions", 2, FieldType.Atomic))),
        ],
        Selectable = "status.phase",
        Default = LabelWithName,
        Columns = [("Status", (item, _) => item.Selectable)],
    };

    public static readonly ObjectKind Secret = new("Secret", "secrets")
    {
        Fields =
        [
            ("data", 2, FieldType.BytesMap),
            ("type", 3, FieldType.Text),
            ("stringData", 4, FieldType.TextMap),
            ("immutable", 5, FieldType.Boolean),
        ],
        Selectable = "type",
        Constant = "type",
        Default = EncodeTexts,
        Check = ObjectValidation.CheckSecret,
        Columns = [("Type", (item, _) => item.Selectable), ("Data", CountData)],
    };

    public static readonly IReadOnlyList<ObjectKind> All = [ConfigMap, Namespace, Secret];

    /// <summary>The API group; empty is the core group.</summary>
    public string Group { get; init; } = string.Empty;

    public string ApiVersion => Group.Length == 0 ? "v1" : Group + "/v1";
    public string Kind { get; } = kind;
    public string Plural { get; } = plural;
    public string Singular => Kind.ToLowerInvariant();
    public IReadOnlyList<string> ShortNames { get; } = shortNames;
    public bool IsNamespaced { get; init; } = true;

    /// <summary>The fields besides apiVersion, kind and metadata.</summary>
    public required IReadOnlyList<(string Name, int Number, FieldType Type)> Fields { get; init; }

    /// <summary>The complete object's shape. In protobuf, apiVersion and kind are outside it.</summary>
    public StructField Schema => field ??= new StructField(
        [("apiVersion", -1, FieldType.Text), ("kind", -2, FieldType.Text), ("metadata", 1, Metadata), .. Fields]);

    /// <summary>The field that field selectors support, besides name and namespace.</summary>
    public string? Selectable { get; init; }

    /// <summary>A field of type text that no update may change.</summary>
    public string? Constant { get; init; }

    /// <summary>Fills in what a client left out.</summary>
    public Action<JsonObject> Default { get; init; } = _ => { };

    /// <summary>Finds faults other than those of metadata.</summary>
    public Action<JsonObject, List<FieldFault>> Check { get; init; } = (_, _) => { };

    /// <summary>The columns of <c>kubectl get</c> between Name and Age. A number or a text.</summary>
    public required IReadOnlyList<(string Name, Func<StoredObject, JsonObject, JsonNode?> Cell)> Columns { get; init; }

    public static ObjectKind? Find(string group, string plural) => All.FirstOrDefault(k => k.Group == group && k.Plural == plural);

    public override string ToString() => Kind;

    private static JsonNode? CountData(StoredObject item, JsonObject source) =>
        ((source["data"] as JsonObject)?.Count ?? 0) + ((source["binaryData"] as JsonObject)?.Count ?? 0);

    private static void LabelWithName(JsonObject source)
    {
        if (ApiJson.TextAt(source, "metadata", "name") is not { } name) return;
        var metadata = (JsonObject)source["metadata"]!;
        if (metadata["labels"] is not JsonObject labels) metadata["labels"] = labels = [];
        labels["kubernetes.io/metadata.name"] = name;
    }

    private static void EncodeTexts(JsonObject source)
    {
        if (source["type"] is null) source["type"] = "Opaque";
        if (source["stringData"] is not JsonObject texts) return;
        if (source["data"] is not JsonObject data) source["data"] = data = [];
        foreach (var (key, value) in texts) data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value!.GetValue<string>()));
        source.Remove("stringData");
    }
}
