using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.IO;

/// <summary>Writes JSON values as YAML in block style; text is quoted if a reader could take it for something else.</summary>
internal static class YamlText
{
    public static string Write(params IEnumerable<JsonObject> documents)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(text, new EmitterSettings().WithBestWidth(int.MaxValue).WithNewLine("\n"));
        var stream = new YamlStream(documents.Select(d => new YamlDocument(Node(d))));
        stream.Save(emitter, assignAnchors: false);
        // The library ends a document with '...'.
        return text.ToString().Replace("\n...\n", "\n", StringComparison.Ordinal);
    }

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

    private static YamlScalarNode Scalar(string text) =>
        new(text) { Style = IsPlain(text) ? ScalarStyle.Plain : ScalarStyle.DoubleQuoted };

    private static bool IsPlain(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')
        && text.ToLowerInvariant() is not ("null" or "true" or "false" or "yes" or "no" or "on" or "off" or "y" or "n");
}
