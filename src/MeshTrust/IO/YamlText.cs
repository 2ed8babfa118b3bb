using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.IO;

/// <summary>Writes YAML: without anchors, lines of any length, text quoted if a reader could take it for something else.</summary>
internal static class YamlText
{
    public static string Write(params IEnumerable<YamlNode> documents)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(text, new EmitterSettings().WithBestWidth(int.MaxValue).WithNewLine("\n"));
        new YamlStream(documents.Select(d => new YamlDocument(d))).Save(emitter, assignAnchors: false);
        // The library ends a stream with '...'.
        var written = text.ToString();
        return written.EndsWith("\n...\n", StringComparison.Ordinal) ? written[..^4] : written;
    }

    /// <summary>JSON objects in block style, each as a document.</summary>
    public static string Write(params IEnumerable<JsonObject> documents) => Write(documents.Select(Node));

    /// <summary>A text value, quoted if a reader could take it for a number, a boolean or null.</summary>
    public static YamlScalarNode Scalar(string value) =>
        new(value) { Style = NeedsQuotes(value) ? ScalarStyle.DoubleQuoted : ScalarStyle.Plain };

    private static YamlNode Node(JsonNode? node) => node switch
    {
        JsonObject map => new YamlMappingNode(map.Select(e => KeyValuePair.Create<YamlNode, YamlNode>(Scalar(e.Key), Node(e.Value))))
        {
            Style = map.Count == 0 ? MappingStyle.Flow : MappingStyle.Block,
        },
        JsonArray list => new YamlSequenceNode(list.Select(Node)) { Style = list.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block },
        JsonValue value when value.GetValueKind() == JsonValueKind.String => Scalar(value.GetValue<string>()),
        null => new YamlScalarNode("null"),
        _ => new YamlScalarNode(node.ToJsonString()),
    };

    private static bool NeedsQuotes(string value) =>
        value.Length == 0
        || !char.IsAsciiLetter(value[0]) && value[0] != '/'
        || !value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or '=' or '+' or '@')
        || value.ToLowerInvariant() is "null" or "true" or "false" or "yes" or "no" or "on" or "off" or "y" or "n";
}
