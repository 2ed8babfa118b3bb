using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>Brings a body into the shape of its kind: known fields only, nothing null, nothing empty, every scalar of its type.</summary>
internal static class ObjectShape
{
    /// <summary>A defect of a body. <see cref="Path"/> begins with a dot; <see cref="Text"/> quotes no value.</summary>
    internal sealed record Defect(string Path, DefectKind Kind, string Text);

    internal enum DefectKind
    {
        UnknownField,
        WrongType,
        NotBase64,
    }

    /// <summary>A clean copy, and what was wrong.</summary>
    public static JsonObject Clean(JsonObject source, StructField schema, List<Defect> defects) =>
        (JsonObject?)CleanStruct(source, schema, string.Empty, defects) ?? [];

    private static JsonNode? Clean(JsonNode? node, FieldType type, string path, List<Defect> defects) => (node, type) switch
    {
        (null, _) => null,
        (JsonObject o, StructField s) => CleanStruct(o, s, path, defects),
        (JsonObject o, MapField m) => CleanMap(o, m, path, defects),
        (JsonArray a, SetField) => CleanSet(a, path, defects),
        (_, AtomicField) => node is JsonArray { Count: 0 } or JsonObject { Count: 0 } ? null : node.DeepClone(),
        (JsonValue v, ScalarField f) => CleanScalar(v, f, path, defects),
        _ => Wrong(path, Expected(type), node, defects),
    };

    private static JsonObject? CleanStruct(JsonObject source, StructField schema, string path, List<Defect> defects)
    {
        var result = new JsonObject();
        foreach (var (name, value) in source)
        {
            var here = $"{path}.{name}";
            if (!schema.Fields.TryGetValue(name, out var type))
            {
                defects.Add(new Defect(here, DefectKind.UnknownField, "field not declared in schema"));
                continue;
            }

            if (Clean(value, type, here, defects) is { } clean) result[name] = clean;
        }

        return result.Count == 0 ? null : result;
    }

    private static JsonObject? CleanMap(JsonObject source, MapField map, string path, List<Defect> defects)
    {
        var result = new JsonObject();
        foreach (var (name, value) in source.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            // A null value of a string or byte map is the empty value (Go decodes it so).
            result[name] = value is null ? string.Empty : Clean(value, map.Value, $"{path}.{name}", defects);
        }

        return result.Count == 0 ? null : result;
    }

    private static JsonArray? CleanSet(JsonArray source, string path, List<Defect> defects)
    {
        var result = new JsonArray();
        foreach (var item in source)
        {
            if (item is JsonValue v && v.GetValueKind() == JsonValueKind.String) result.Add((JsonNode)v.GetValue<string>());
            else Wrong(path, "string", item, defects);
        }

        return result.Count == 0 ? null : result;
    }

    private static JsonNode? CleanScalar(JsonValue value, ScalarField type, string path, List<Defect> defects)
    {
        var kind = value.GetValueKind();
        switch (type.Kind)
        {
            case ScalarKind.Text when kind == JsonValueKind.String:
                return value.GetValue<string>();
            case ScalarKind.Base64 when kind == JsonValueKind.String:
                return CleanBase64(value.GetValue<string>(), path, defects);
            case ScalarKind.Boolean when kind is JsonValueKind.True or JsonValueKind.False:
                return kind == JsonValueKind.True;
            case ScalarKind.Number when kind == JsonValueKind.Number:
                return value.DeepClone();
            default:
                return Wrong(path, Expected(type), value, defects);
        }
    }

    private static JsonNode CleanBase64(string text, string path, List<Defect> defects)
    {
        var compact = text.AsSpan().IndexOfAny('\r', '\n') < 0 ? text : text.Replace("\r", null, StringComparison.Ordinal).Replace("\n", null, StringComparison.Ordinal);
        var offset = 0;
        while (offset < compact.Length && (char.IsAsciiLetterOrDigit(compact[offset]) || compact[offset] is '+' or '/')) offset++;
        var padding = compact.Length - offset;
        var sound = compact.Length % 4 == 0 && padding <= 2 && compact.AsSpan(offset).IndexOfAnyExcept('=') < 0;
        if (!sound) defects.Add(new Defect(path, DefectKind.NotBase64, $"illegal base64 data at input byte {Math.Min(offset, Math.Max(0, compact.Length / 4 * 4))}"));
        return compact;
    }

    private static JsonNode? Wrong(string path, string expected, JsonNode? node, List<Defect> defects)
    {
        defects.Add(new Defect(path, DefectKind.WrongType, $"expected {expected}, got {node?.GetValueKind().ToString().ToLowerInvariant() ?? "null"}"));
        return null;
    }

    private static string Expected(FieldType type) => type switch
    {
        ScalarField { Kind: ScalarKind.Boolean } => "boolean",
        ScalarField { Kind: ScalarKind.Number } => "numeric",
        ScalarField => "string",
        SetField => "list",
        _ => "map",
    };
}
