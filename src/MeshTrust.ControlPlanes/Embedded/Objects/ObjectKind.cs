namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>A kind of object that is stored, with its names and its schema.</summary>
internal sealed class ObjectKind
{
    public static readonly ObjectKind Namespace = new()
    {
        Kind = "Namespace",
        Plural = "namespaces",
        ShortName = "ns",
        IsNamespaced = false,
        Fields = new Dictionary<string, FieldType>
        {
            ["spec"] = new StructField(new Dictionary<string, FieldType> { ["finalizers"] = FieldType.Atomic }),
            ["status"] = new StructField(new Dictionary<string, FieldType> { ["phase"] = FieldType.Text, ["conditions"] = FieldType.Atomic }),
        },
    };

    public static readonly ObjectKind Secret = new()
    {
        Kind = "Secret",
        Plural = "secrets",
        IsNamespaced = true,
        Fields = new Dictionary<string, FieldType>
        {
            ["data"] = FieldType.BytesMap,
            ["stringData"] = FieldType.TextMap,
            ["type"] = FieldType.Text,
            ["immutable"] = FieldType.Boolean,
        },
    };

    public static readonly ObjectKind ConfigMap = new()
    {
        Kind = "ConfigMap",
        Plural = "configmaps",
        ShortName = "cm",
        IsNamespaced = true,
        Fields = new Dictionary<string, FieldType>
        {
            ["data"] = FieldType.TextMap,
            ["binaryData"] = FieldType.BytesMap,
            ["immutable"] = FieldType.Boolean,
        },
    };

    public static readonly IReadOnlyList<ObjectKind> All = [ConfigMap, Namespace, Secret];

    private static readonly StructField Metadata = new(new Dictionary<string, FieldType>
    {
        ["name"] = FieldType.Text,
        ["generateName"] = FieldType.Text,
        ["namespace"] = FieldType.Text,
        ["selfLink"] = FieldType.Text,
        ["uid"] = FieldType.Text,
        ["resourceVersion"] = FieldType.Text,
        ["generation"] = FieldType.Number,
        ["creationTimestamp"] = FieldType.Text,
        ["deletionTimestamp"] = FieldType.Text,
        ["deletionGracePeriodSeconds"] = FieldType.Number,
        ["labels"] = FieldType.TextMap,
        ["annotations"] = FieldType.TextMap,
        ["ownerReferences"] = FieldType.Atomic,
        ["finalizers"] = FieldType.TextSet,
        ["clusterName"] = FieldType.Text,
        ["managedFields"] = FieldType.Atomic,
    });

    public required string Kind { get; init; }

    public required string Plural { get; init; }

    public string? ShortName { get; init; }

    public required bool IsNamespaced { get; init; }

    /// <summary>The fields beside apiVersion, kind and metadata.</summary>
    public required IReadOnlyDictionary<string, FieldType> Fields { get; init; }

    public string ListKind => Kind + "List";

    public string Singular => Kind.ToLowerInvariant();

    /// <summary>The whole object's shape.</summary>
    public StructField Schema => field ??= new StructField(new Dictionary<string, FieldType>(Fields)
    {
        ["apiVersion"] = FieldType.Text,
        ["kind"] = FieldType.Text,
        ["metadata"] = Metadata,
    });

    public static ObjectKind? ByPlural(string plural) => All.FirstOrDefault(k => k.Plural == plural);

    public override string ToString() => Kind;
}
