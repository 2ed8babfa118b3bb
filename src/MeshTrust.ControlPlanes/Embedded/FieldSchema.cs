using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>The shape of a field, and so how it is owned: whole, key by key, or element by element.</summary>
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
}

internal enum ScalarKind
{
    Text,
    Time,
    Base64,
    Boolean,
    Number,
}

internal sealed record ScalarField(ScalarKind Kind) : FieldType;

/// <summary>A map whose keys are owned one by one.</summary>
internal sealed record MapField(ScalarField Value) : FieldType;

/// <summary>A list of texts whose elements are owned one by one.</summary>
internal sealed record SetField : FieldType;

/// <summary>A value that is owned as a whole, whatever is in it.</summary>
internal sealed record AtomicField : FieldType;

/// <summary>Named fields, with their numbers in protobuf (generated.proto of k8s.io/api and apimachinery). It is never owned itself.</summary>
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

internal enum DefectKind
{
    UnknownField,
    WrongType,
    NotBase64,
}

/// <summary>A defect of a body. The path begins with a dot; the text quotes no value.</summary>
internal sealed record Defect(string Path, DefectKind Kind, string Text);

/// <summary>Brings a body into the shape of its kind: known fields only, nothing null, nothing empty, every scalar of its type.</summary>
internal sealed class ObjectShape
{
    private readonly List<Defect> _defects = [];

    private ObjectShape()
    {
    }

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
        (_, AtomicField) => node is JsonArray { Count: 0 } or JsonObject { Count: 0 } ? null : node.DeepClone(),
        (JsonValue v, ScalarField f) => Scalar(v, f, path),
        _ => Wrong(path, type, node),
    };

    private JsonObject? Struct(JsonObject source, StructField schema, string path)
    {
        var result = new JsonObject();
        foreach (var (name, value) in source)
        {
            var here = $"{path}.{name}";
            if (!schema.Fields.TryGetValue(name, out var type)) _defects.Add(new(here, DefectKind.UnknownField, "field not declared in schema"));
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
            SetField => "list",
            _ => "map",
        };
        _defects.Add(new(path, DefectKind.WrongType, $"expected {name}, got {node?.GetValueKind().ToString().ToLowerInvariant() ?? "null"}"));
        return null;
    }
}
