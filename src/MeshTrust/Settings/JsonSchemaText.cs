using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.Settings;

/// <summary>The JSON Schema (draft 7) of the topology file, made from the shape that the reader checks with.</summary>
internal static class JsonSchemaText
{
    // A value may come from the environment; what it comes to is checked when the file is read.
    private const string Expansion = @"\$\{";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema's text with a line break at its end.</summary>
    public static string Write()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["title"] = "MeshTopology",
            ["description"] = "The clusters of one mesh and the trust they share.",
        };
        foreach (var (name, value) in Of(TopologyShape.Root)) schema[name] = value?.DeepClone();
        return schema.ToJsonString(Indented) + "\n";
    }

    private static JsonObject Of(Shape shape) => shape switch
    {
        MapShape map => Map(map),
        ListShape list => new JsonObject { ["type"] = "array", ["items"] = Of(list.Item), ["minItems"] = list.Least, ["maxItems"] = list.Most },
        TextShape { Pattern: { } pattern } => new JsonObject { ["type"] = "string", ["pattern"] = $"{pattern}|{Expansion}" },
        TextShape => new JsonObject { ["type"] = "string", ["minLength"] = 1 },
        ChoiceShape choice => AnyOf(new JsonObject { ["type"] = "string", ["enum"] = Array(choice.Choices) }, Expandable()),
        NumberShape number => new JsonObject { ["type"] = "integer", ["minimum"] = number.Least, ["maximum"] = number.Most },
        SwitchShape => new JsonObject { ["type"] = "boolean" },
        KeySizeShape => AnyOf(
            new JsonObject { ["type"] = "integer", ["enum"] = new JsonArray([.. KeySizeShape.Numbers.Select(n => (JsonNode)n)]) },
            new JsonObject { ["type"] = "string", ["enum"] = Array(KeySizeShape.Words) },
            Expandable()),
        OneOrMoreShape many => AnyOf(Of(many.Item), new JsonObject { ["type"] = "array", ["items"] = Of(many.Item), ["minItems"] = 1 }),
        _ => new JsonObject { ["type"] = "object" },
    };

    private static JsonObject Map(MapShape map)
    {
        var properties = new JsonObject();
        foreach (var key in map.Keys)
        {
            var property = Of(key.Shape);
            property["description"] = key.Meaning + (key.IsRequired || key.Default.Length == 0 ? "" : $" Default: {key.Default}.") + (key.IsForKind ? " For kind clusters." : "");
            properties[key.Name] = property;
        }

        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        var required = map.Keys.Where(k => k.IsRequired).Select(k => k.Name).ToList();
        if (required.Count > 0) schema["required"] = Array(required);
        schema["additionalProperties"] = false;
        return schema;
    }

    private static JsonObject Expandable() => new() { ["type"] = "string", ["pattern"] = Expansion };

    private static JsonObject AnyOf(params JsonObject[] choices) => new() { ["anyOf"] = new JsonArray([.. choices]) };

    private static JsonArray Array(IEnumerable<string> words) => new([.. words.Select(w => (JsonNode)w)]);
}
