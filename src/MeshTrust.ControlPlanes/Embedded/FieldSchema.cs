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
}

internal enum ScalarKind { Text, Time, Base64, Boolean, Number }

internal sealed record ScalarField(ScalarKind Kind) : FieldType;

/// <summary>A map whose keys are owned one by one.</summary>
internal sealed record MapField(ScalarField Value) : FieldType;

/// <summary>A list of texts whose elements are owned one by one.</summary>
internal sealed record SetField : FieldType;

/// <summary>A value that is owned as a whole, regardless of its content.</summary>
internal sealed record AtomicField : FieldType;

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
            throw ApiFault.BadRequest($"{given} {cannot}converting (v1.{given}) to (core.{kind.Kind}): unknown conversion");
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

        if (kind.IsNamespaced && ApiJson.TextAt(source, "metadata", "namespace") is { } space && space != key.Namespace)
            throw ApiFault.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        kind.Default(source);
        return source;
    }

    /// <summary>The body of a server-side apply.</summary>
    public static JsonObject ForApply(ObjectKey key, JsonObject body)
    {
        var kind = key.Kind;
        if (((body["apiVersion"] as JsonValue)?.ToString() ?? string.Empty) is var version && version != kind.ApiVersion)
        {
            throw ApiFault.BadRequest(
                $"Incorrect version specified in apply patch. Specified patch version: {version}, expected: {kind.ApiVersion}");
        }

        if (body["metadata"]?["managedFields"] is not null) throw ApiFault.BadRequest("metadata.managedFields must be nil");
        if (body["kind"]?.ToString() is var given && given != kind.Kind)
            throw ApiFault.Unclassified($"failed to merge config: expected objects of the same type, but got {given} and {kind.Kind}");
        var applied = ObjectShape.Clean(body, kind.Schema, out var defects);
        if (defects.FirstOrDefault(d => d.Kind != DefectKind.NotBase64) is { } shape)
            throw ApiFault.Unclassified($"failed to create typed patch object: {shape.Path}: {shape.Text}");
        if (defects.Count > 0)
        {
            var type = $"{kind.Group}/v1, Kind={kind.Kind}";
            throw ApiFault.Unclassified("failed to convert new object to proper version: "
                + $"unable to convert unstructured object to {type}: error decoding from json: {defects[0].Text}");
        }

        if (ApiJson.TextAt(applied, "metadata", "name") is { } found && found != key.Name) throw OtherName(found, key.Name);
        if (kind.IsNamespaced && ApiJson.TextAt(applied, "metadata", "namespace") is { } space && space != key.Namespace)
        {
            throw ApiFault.BadRequest(
                $"the namespace of the object ({space}) does not match the namespace on the request ({key.Namespace})");
        }

        return applied;
    }

    private static ApiFault OtherName(string? given, string name) =>
        ApiFault.BadRequest($"the name of the object ({given}) does not match the name on the URL ({name})");
}
