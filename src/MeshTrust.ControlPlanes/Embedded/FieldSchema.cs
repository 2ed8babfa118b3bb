using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>The shape of a field, which determines its ownership: as a whole, by key, or by element.</summary>
internal abstract record FieldType
{
    public static readonly ScalarField Text = new(ScalarKind.Text);
    public static readonly ScalarField Time = new(ScalarKind.Time);
    public static readonly ScalarField Bytes = new(ScalarKind.Base64);
    public static readonly ScalarField Boolean = new(ScalarKind.Boolean);
    public static readonly ScalarField Number = new(ScalarKind.Number);
    public static readonly MapField TextMap = new(Text);
    public static readonly MapField BytesMap = new(Bytes);
    public static readonly SetField TextSet = new();
    public static readonly AtomicField Atomic = new();

    public static AtomicField ListOf(params IEnumerable<(string Name, int Number, FieldType Type)> item) => new(new StructField(item));
}

internal enum ScalarKind { Text, Time, Base64, Boolean, Number }

internal sealed record ScalarField(ScalarKind Kind) : FieldType;

/// <summary>A map whose keys are owned one by one.</summary>
internal sealed record MapField(ScalarField Value) : FieldType;

/// <summary>A list of texts whose elements are owned one by one.</summary>
internal sealed record SetField : FieldType;

/// <summary>A value that is owned as a whole, regardless of its content. With a shape it is a list of such items, or one of them.</summary>
internal sealed record AtomicField(StructField? Shape = null, bool IsList = true) : FieldType;

/// <summary>Named fields, never owned itself. The numbers are those of protobuf (generated.proto of k8s.io/api and apimachinery).</summary>
internal sealed record StructField : FieldType
{
    public StructField(params IEnumerable<(string Name, int Number, FieldType Type)> fields)
    {
        foreach (var (name, number, type) in fields)
        {
            Fields[name] = type;
            Numbers[number] = name;
        }
    }

    public Dictionary<string, FieldType> Fields { get; } = new(StringComparer.Ordinal);
    public Dictionary<int, string> Numbers { get; } = [];
}

internal enum DefectKind { UnknownField, WrongType, NotBase64 }

/// <summary>A defect in a body. The path begins with a dot; the text quotes no value.</summary>
internal sealed record Defect(string Path, DefectKind Kind, string Text);

/// <summary>Converts a body to the shape of its kind: known fields only, nothing null, nothing empty, every scalar of its type.</summary>
internal sealed class ObjectShape
{
    private readonly List<Defect> _defects = [];

    /// <summary>A clean copy, and what was wrong.</summary>
    public static JsonObject Clean(JsonObject source, StructField schema, out IReadOnlyList<Defect> defects)
    {
        var shape = new ObjectShape();
        defects = shape._defects;
        return shape.Struct(source, schema, string.Empty) ?? [];
    }

    private JsonNode? Clean(JsonNode? node, FieldType type, string path) => (node, type) switch
    {
        (null, _) => null,
        (JsonObject o, StructField s) => Struct(o, s, path),
        (JsonObject o, MapField m) => Map(o, m, path),
        (JsonArray a, SetField) => Set(a, path),
        (JsonArray a, AtomicField { Shape: { } item, IsList: true }) => Items(a, item, path),
        (JsonObject o, AtomicField { Shape: { } one, IsList: false }) => Struct(o, one, path),
        (_, AtomicField { Shape: null }) => node is JsonArray { Count: 0 } or JsonObject { Count: 0 } ? null : node.DeepClone(),
        (JsonValue v, ScalarField f) => Scalar(v, f, path),
        _ => Wrong(path, type, node),
    };

    private JsonObject? Struct(JsonObject source, StructField schema, string path)
    {
        var result = new JsonObject();
        foreach (var (name, value) in source)
        {
            var here = $"{path}.{name}";
            if (!schema.Fields.TryGetValue(name, out var type))
                _defects.Add(new(here, DefectKind.UnknownField, "field not declared in schema"));
            else if (Clean(value, type, here) is { } clean) result[name] = clean;
        }

        return result.Count == 0 ? null : result;
    }

    private JsonObject? Map(JsonObject source, MapField map, string path)
    {
        // A null value of a string or byte map is the empty value (Go decodes it so).
        var result = new JsonObject(source.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p =>
            KeyValuePair.Create(p.Key, p.Value is null ? string.Empty : Clean(p.Value, map.Value, $"{path}.{p.Key}"))));
        return result.Count == 0 ? null : result;
    }

    private JsonArray? Set(JsonArray source, string path)
    {
        var result = new JsonArray();
        foreach (var item in source)
            if (Clean(item, FieldType.Text, path) is { } text) result.Add(text);
            else if (item is null) Wrong(path, FieldType.Text, null);
        return result.Count == 0 ? null : result;
    }

    private JsonArray? Items(JsonArray source, StructField item, string path)
    {
        var result = new JsonArray([.. source.Select((node, i) => Clean(node, item, $"{path}[{i}]") ?? new JsonObject())]);
        return result.Count == 0 ? null : result;
    }

    private JsonNode? Scalar(JsonValue value, ScalarField type, string path) => (type.Kind, value.GetValueKind()) switch
    {
        (ScalarKind.Text or ScalarKind.Time, JsonValueKind.String) => value.GetValue<string>(),
        (ScalarKind.Base64, JsonValueKind.String) => Base64(value.GetValue<string>(), path),
        (ScalarKind.Boolean, JsonValueKind.True or JsonValueKind.False) => value.GetValue<bool>(),
        (ScalarKind.Number, JsonValueKind.Number) => value.DeepClone(),
        _ => Wrong(path, type, value),
    };

    private string Base64(string text, string path)
    {
        var compact = text.AsSpan().ContainsAny('\r', '\n') ? string.Concat(text.Where(c => c is not ('\r' or '\n'))) : text;
        var offset = 0;
        while (offset < compact.Length && (char.IsAsciiLetterOrDigit(compact[offset]) || compact[offset] is '+' or '/')) offset++;
        var padding = compact.AsSpan(offset);
        if (compact.Length % 4 != 0 || padding.Length > 2 || padding.ContainsAnyExcept('='))
            _defects.Add(new(path, DefectKind.NotBase64, $"illegal base64 data at input byte {Math.Min(offset, compact.Length / 4 * 4)}"));
        return compact;
    }

    private JsonNode? Wrong(string path, FieldType expected, JsonNode? node)
    {
        var name = expected switch
        {
            ScalarField { Kind: ScalarKind.Boolean } => "boolean",
            ScalarField { Kind: ScalarKind.Number } => "numeric",
            ScalarField => "string",
            SetField or AtomicField { IsList: true } => "list",
            _ => "map",
        };
        var found = node?.GetValueKind().ToString().ToLowerInvariant() ?? "null";
        _defects.Add(new(path, DefectKind.WrongType, $"expected {name}, got {found}"));
        return null;
    }
}

/// <summary>Bodies of write requests as objects of a kind, or the error, which a real server words differently for apply.</summary>
internal static class TypedObject
{
    /// <summary>The body of a POST or PUT, or the result of a patch, with defaults.</summary>
    public static JsonObject Of(ObjectKey key, JsonObject body, bool strict, bool isPatch = false)
    {
        var kind = key.Kind;
        var cannot = $"in version \"{kind.ApiVersion}\" cannot be handled as a {kind.Kind}: ";
        if (body["kind"]?.ToString() is { } given && given != kind.Kind)
            throw ApiFault.BadRequest($"{given} {cannot}converting (v1.{given}) to ({kind.Package}.{kind.Kind}): unknown conversion");
        var source = ObjectShape.Clean(body, kind.Schema, out var defects);
        if (defects.FirstOrDefault(d => d.Kind == DefectKind.NotBase64) is { } base64)
            throw ApiFault.BadRequest($"{kind.Kind} {cannot}{base64.Path[1..]}: {base64.Text}");
        if (defects.FirstOrDefault(d => d.Kind == DefectKind.WrongType) is { } type)
        {
            var field = $"json: cannot unmarshal into Go struct field {kind.Kind}{type.Path}";
            throw ApiFault.BadRequest($"{kind.Kind} {cannot}{field}: {type.Text}");
        }

        if (strict && defects.Count > 0)
        {
            var unknown = string.Join(", ", defects.Select(d => $"unknown field \"{d.Path[1..]}\""));
            throw ApiFault.BadRequest($"{kind.Kind} {cannot}strict decoding error: {unknown}");
        }

        if (source["metadata"] is not JsonObject) source["metadata"] = new JsonObject();
        if (key.Name.Length > 0 && ApiJson.TextAt(source, "metadata", "name") is var found && found != key.Name)
        {
            throw found is null && !isPatch
                ? ApiFault.BadRequest("the name of the object (based on metadata) was undeterminable: name must be provided")
                : OtherName(found, key.Name);
        }

        CheckNamespace(key, source);
        kind.Default(source);
        return source;
    }

    /// <summary>The body of a server-side apply.</summary>
    public static JsonObject ForApply(ObjectKey key, JsonObject body)
    {
        var kind = key.Kind;
        var (version, given) = ((body["apiVersion"] as JsonValue)?.ToString() ?? string.Empty, body["kind"]?.ToString() ?? string.Empty);
        if (version != kind.ApiVersion || given != kind.Kind)
        {
            var slash = version.LastIndexOf('/');
            throw ApiFault.BadRequest($"invalid object type: {version[..Math.Max(slash, 0)]}/{version[(slash + 1)..]}, Kind={given}");
        }

        if (body["metadata"]?["managedFields"] is not null) throw ApiFault.BadRequest("metadata.managedFields must be nil");
        var applied = ObjectShape.Clean(body, kind.Schema, out var defects);
        var type = $"{kind.Group}/v1, Kind={kind.Kind}";
        if (defects.FirstOrDefault(d => d.Kind != DefectKind.NotBase64) is { } shape)
        {
            throw ApiFault.Unclassified(
                $"failed to create typed patch object ({key.Namespace}/{key.Name}; {type}): {shape.Path}: {shape.Text}");
        }

        if (defects.Count > 0)
        {
            throw ApiFault.Unclassified($"failed to convert new object ({key.Namespace}/{key.Name}; {type}) to proper version: "
                + $"unable to convert unstructured object to {type}: error decoding from json: {defects[0].Text}");
        }

        if (ApiJson.TextAt(applied, "metadata", "name") is { } found && found != key.Name) throw OtherName(found, key.Name);
        CheckNamespace(key, applied);
        return applied;
    }

    private static void CheckNamespace(ObjectKey key, JsonObject source)
    {
        if (key.Kind.IsNamespaced && ApiJson.TextAt(source, "metadata", "namespace") is { } space && space != key.Namespace)
            throw ApiFault.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
    }

    private static ApiFault OtherName(string? given, string name) =>
        ApiFault.BadRequest($"the name of the object ({given}) does not match the name on the URL ({name})");
}
