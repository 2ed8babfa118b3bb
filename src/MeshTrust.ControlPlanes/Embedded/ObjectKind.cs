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

    private static readonly StructField Reference = new(
        ("kind", 1, FieldType.Text),
        ("namespace", 2, FieldType.Text),
        ("name", 3, FieldType.Text),
        ("uid", 4, FieldType.Text),
        ("apiVersion", 5, FieldType.Text),
        ("resourceVersion", 6, FieldType.Text),
        ("fieldPath", 7, FieldType.Text));

    private static readonly AtomicField Rules = FieldType.ListOf(
        ("verbs", 1, FieldType.TextSet),
        ("apiGroups", 2, FieldType.TextSet),
        ("resources", 3, FieldType.TextSet),
        ("resourceNames", 4, FieldType.TextSet),
        ("nonResourceURLs", 5, FieldType.TextSet));

    public static readonly ObjectKind ConfigMap = new("ConfigMap", "configmaps", "cm")
    {
        Fields = [("data", 2, FieldType.TextMap), ("binaryData", 3, FieldType.BytesMap), ("immutable", 4, FieldType.Boolean)],
        Check = ObjectValidation.CheckConfigMap,
        Columns = [("Data", CountData)],
    };

    /// <summary>Nothing here reports events; clients may, and <c>kubectl describe</c> lists them.</summary>
    public static readonly ObjectKind Event = new("Event", "events", "ev")
    {
        Fields =
        [
            ("involvedObject", 2, Reference),
            ("reason", 3, FieldType.Text),
            ("message", 4, FieldType.Text),
            ("source", 5, new StructField(("component", 1, FieldType.Text), ("host", 2, FieldType.Text))),
            ("firstTimestamp", 6, FieldType.Time),
            ("lastTimestamp", 7, FieldType.Time),
            ("count", 8, FieldType.Number),
            ("type", 9, FieldType.Text),
            ("eventTime", 10, FieldType.Time),
            ("series", 11, FieldType.Atomic),
            ("action", 12, FieldType.Text),
            ("related", 13, Reference),
            ("reportingComponent", 14, FieldType.Text),
            ("reportingInstance", 15, FieldType.Text),
        ],
        Selectable = [.. Reference.Fields.Keys.Select(f => "involvedObject." + f), "reason", "type", "source", "reportingComponent"],

        // kubectl get all requests this category, and fails if no resource has it.
        Category = "all",
        Columns = [("Type", Text("type")), ("Reason", Text("reason")), ("Message", Text("message"))],
    };

    public static readonly ObjectKind Namespace = new("Namespace", "namespaces", "ns")
    {
        IsNamespaced = false,
        Fields =
        [
            ("spec", 2, new StructField(("finalizers", 1, FieldType.Atomic))),
            ("status", 3, new StructField(("phase", 1, FieldType.Text), ("conditions", 2, FieldType.Atomic))),
        ],
        Selectable = ["status.phase"],
        Default = LabelWithName,
        Columns = [("Status", Text("status.phase"))],
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
        Selectable = ["type"],
        Constant = "type",
        Default = EncodeTexts,
        Check = ObjectValidation.CheckSecret,
        Columns = [("Type", Text("type")), ("Data", CountData)],
    };

    public static readonly ObjectKind ServiceAccount = new("ServiceAccount", "serviceaccounts", "sa")
    {
        Fields =
        [
            ("secrets", 2, new AtomicField(Reference)),
            ("imagePullSecrets", 3, FieldType.ListOf(("name", 1, FieldType.Text))),
            ("automountServiceAccountToken", 4, FieldType.Boolean),
        ],
        Columns = [("Secrets", source => (source["secrets"] as JsonArray)?.Count ?? 0)],
    };

    public static readonly ObjectKind ClusterRole = Role("ClusterRole", "clusterroles", false);
    public static readonly ObjectKind ClusterRoleBinding = Binding("ClusterRoleBinding", "clusterrolebindings", false);
    public static readonly ObjectKind NamespacedRole = Role("Role", "roles", true);
    public static readonly ObjectKind RoleBinding = Binding("RoleBinding", "rolebindings", true);

    public static readonly IReadOnlyList<ObjectKind> All =
        [ConfigMap, Event, Namespace, Secret, ServiceAccount, ClusterRole, ClusterRoleBinding, NamespacedRole, RoleBinding];

    /// <summary>The API group; empty is the core group.</summary>
    public string Group { get; init; } = string.Empty;

    public string ApiVersion => Group.Length == 0 ? "v1" : Group + "/v1";

    /// <summary>Go's package of the group: <c>core</c>, <c>rbac</c>.</summary>
    public string Package => Group.Length == 0 ? "core" : Group.Split('.')[0];

    /// <summary>The plural name with its group, as messages name it.</summary>
    public string Resource => Group.Length == 0 ? Plural : $"{Plural}.{Group}";
    public string Kind { get; } = kind;
    public string QualifiedKind => Group.Length == 0 ? Kind : $"{Kind}.{Group}";
    public string Plural { get; } = plural;
    public string Singular => Kind.ToLowerInvariant();
    public IReadOnlyList<string> ShortNames { get; } = shortNames;
    public bool IsNamespaced { get; init; } = true;

    /// <summary>The fields besides apiVersion, kind and metadata.</summary>
    public required IReadOnlyList<(string Name, int Number, FieldType Type)> Fields { get; init; }

    /// <summary>The complete object's shape. In protobuf, apiVersion and kind are outside it.</summary>
    public StructField Schema => field ??= new StructField(
        [("apiVersion", -1, FieldType.Text), ("kind", -2, FieldType.Text), ("metadata", 1, Metadata), .. Fields]);

    /// <summary>The fields that field selectors support, besides name and namespace.</summary>
    public IReadOnlyList<string> Selectable { get; init; } = [];

    /// <summary>A group of resources that kubectl knows by one name.</summary>
    public string? Category { get; init; }

    /// <summary>A field that no update may change.</summary>
    public string? Constant { get; init; }

    /// <summary>Fills in what a client left out.</summary>
    public Action<JsonObject> Default { get; init; } = _ => { };

    /// <summary>Finds faults other than those of metadata.</summary>
    public Action<JsonObject, List<FieldFault>> Check { get; init; } = (_, _) => { };

    /// <summary>The columns of <c>kubectl get</c> between Name and Age. A number or a text.</summary>
    public required IReadOnlyList<(string Name, Func<JsonObject, JsonNode?> Cell)> Columns { get; init; }

    public static ObjectKind? Find(string group, string plural) => All.FirstOrDefault(k => k.Group == group && k.Plural == plural);

    public override string ToString() => Kind;

    private static ObjectKind Role(string kind, string plural, bool isNamespaced) => new(kind, plural)
    {
        Group = AccessRules.Group,
        IsNamespaced = isNamespaced,
        Fields = isNamespaced ? [("rules", 2, Rules)] : [("rules", 2, Rules), ("aggregationRule", 3, FieldType.Atomic)],
        Check = ObjectValidation.CheckRole,
        Columns = [],
    };

    private static ObjectKind Binding(string kind, string plural, bool isNamespaced) => new(kind, plural)
    {
        Group = AccessRules.Group,
        IsNamespaced = isNamespaced,
        Fields =
        [
            ("subjects", 2, FieldType.ListOf(
                ("kind", 1, FieldType.Text),
                ("apiGroup", 2, FieldType.Text),
                ("name", 3, FieldType.Text),
                ("namespace", 4, FieldType.Text))),
            ("roleRef", 3, new AtomicField(
                new StructField(("apiGroup", 1, FieldType.Text), ("kind", 2, FieldType.Text), ("name", 3, FieldType.Text)), IsList: false)),
        ],
        Constant = "roleRef",
        Default = NameTheGroup,
        Check = ObjectValidation.CheckBinding,
        Columns = [("Role", source => $"{source["roleRef"]?["kind"]}/{source["roleRef"]?["name"]}")],
    };

    private static Func<JsonObject, JsonNode?> Text(string path) => source => ApiJson.At(source, path)?.DeepClone();

    private static JsonNode? CountData(JsonObject source) =>
        ((source["data"] as JsonObject)?.Count ?? 0) + ((source["binaryData"] as JsonObject)?.Count ?? 0);

    private static void NameTheGroup(JsonObject source)
    {
        var subjects = (source["subjects"] as JsonArray ?? []).OfType<JsonObject>().Where(s => s["kind"]?.ToString() != "ServiceAccount");
        foreach (var item in subjects.Append(source["roleRef"] as JsonObject).OfType<JsonObject>()) item["apiGroup"] ??= AccessRules.Group;
    }

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
