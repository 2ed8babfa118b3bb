using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MeshTrust.ControlPlanes.Embedded.Objects;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;
using YamlDotNet.Serialization;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>YAML as far as the API takes and gives it: what JSON can say.</summary>
internal static partial class YamlText
{
    // An alias may stand for a large part many times over.
    private const int MostNodes = 100_000;
    private const int Deepest = 64;

    /// <exception cref="ApiFault">400; the message says where and never quotes.</exception>
    public static JsonNode? Parse(byte[] text, string prefix)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text)));
            if (stream.Documents.Count == 0) return null;
            var left = MostNodes;
            return Convert(stream.Documents[0].RootNode, ref left, 0);
        }
        catch (YamlException e)
        {
            throw ApiFault.BadRequest($"{prefix}yaml: line {e.Start.Line}: not readable");
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException)
        {
            throw ApiFault.BadRequest($"{prefix}yaml: not UTF-8, a name that stands twice, or larger than this server reads");
        }
    }

    public static byte[] Write(JsonNode node) =>
        Encoding.UTF8.GetBytes(new SerializerBuilder().WithQuotingNecessaryStrings().Build().Serialize(Plain(node)!));

    private static JsonNode? Convert(YamlNode node, ref int left, int depth)
    {
        if (--left < 0 || depth > Deepest) throw new FormatException("too large");
        switch (node)
        {
            case YamlMappingNode map:
                var result = new JsonObject();
                foreach (var (key, value) in map.Children) result.Add(((YamlScalarNode)key).Value ?? string.Empty, Convert(value, ref left, depth + 1));
                return result;
            case YamlSequenceNode list:
                var items = new JsonArray();
                foreach (var item in list.Children) items.Add(Convert(item, ref left, depth + 1));
                return items;
            default:
                return Scalar((YamlScalarNode)node);
        }
    }

    private static JsonValue? Scalar(YamlScalarNode node)
    {
        var text = node.Value ?? string.Empty;
        if (node.Style is not (ScalarStyle.Plain or ScalarStyle.Any) || node.Tag == "tag:yaml.org,2002:str") return JsonValue.Create(text);
        return text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => null,
            "true" or "True" or "TRUE" => JsonValue.Create(true),
            "false" or "False" or "FALSE" => JsonValue.Create(false),
            _ when Integer().IsMatch(text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
            _ when Fraction().IsMatch(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => JsonValue.Create(number),
            _ => JsonValue.Create(text),
        };
    }

    private static object? Plain(JsonNode? node) => node switch
    {
        null => null,
        JsonObject map => new SortedDictionary<string, object?>(map.ToDictionary(p => p.Key, p => Plain(p.Value)), StringComparer.Ordinal),
        JsonArray list => list.Select(Plain).ToList(),
        JsonValue value => value.GetValueKind() switch
        {
            System.Text.Json.JsonValueKind.String => value.GetValue<string>(),
            System.Text.Json.JsonValueKind.True => true,
            System.Text.Json.JsonValueKind.False => false,
            _ => decimal.Parse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture),
        },
        _ => null,
    };

    [GeneratedRegex(@"\A[-+]?(0|[1-9][0-9]*)\z")]
    private static partial Regex Integer();

    [GeneratedRegex(@"\A[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z")]
    private static partial Regex Fraction();
}
