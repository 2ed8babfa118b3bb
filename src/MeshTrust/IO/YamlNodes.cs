using System.Globalization;
using System.Text;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.IO;

/// <summary>What a node is. Quoted and tagged scalars are text; plain ones have the types of YAML 1.2's core schema.</summary>
internal static class YamlNodes
{
    public static int Line(this YamlNode node) => (int)Math.Max(1, node.Start.Line);

    public static bool IsNull(this YamlNode node) => PlainText(node) is "" or "~" or "null" or "Null" or "NULL";

    public static bool IsBoolean(this YamlNode node) => PlainText(node) is "true" or "True" or "TRUE" or "false" or "False" or "FALSE";

    /// <summary>A boolean as YAML 1.1 has it, which kubectl reads; null for anything else.</summary>
    public static bool? Boolean(this YamlNode node) => PlainText(node) switch
    {
        "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON" => true,
        "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF" => false,
        _ => null,
    };

    public static bool IsNumber(this YamlNode node) =>
        PlainText(node) is { Length: > 0 } text && (char.IsAsciiDigit(text[0]) || text[0] is '-' or '+' or '.')
        && (IsInteger(text) || double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _));

    public static bool IsQuoted(this YamlNode node) => node is YamlScalarNode && PlainText(node) is null;

    public static bool IsText(this YamlNode node) => node is YamlScalarNode && !IsNull(node) && !IsBoolean(node) && !IsNumber(node);

    public static string Noun(this YamlNode node) => node switch
    {
        YamlMappingNode => "a mapping",
        YamlSequenceNode => "a list",
        _ when IsNull(node) => "nothing",
        _ when IsBoolean(node) => "true or false",
        _ when IsNumber(node) => "a number",
        _ => "text",
    };

    public static string Text(this YamlNode node) => (node as YamlScalarNode)?.Value ?? "";

    public static (YamlNode Key, YamlNode Value)? Entry(this YamlNode? node, string key)
    {
        if (node is not YamlMappingNode map) return null;
        foreach (var (name, value) in map.Children)
            if (name is YamlScalarNode scalar && scalar.Value == key) return (name, value);

        return null;
    }

    public static YamlNode? Find(this YamlNode? node, string key) => Entry(node, key)?.Value;

    public static JsonElement ToJson(this YamlNode node)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) Write(writer, node);
        using var document = JsonDocument.Parse(stream.ToArray());
        return document.RootElement.Clone();
    }

    private static void Write(Utf8JsonWriter writer, YamlNode node)
    {
        switch (node)
        {
            case YamlMappingNode map:
                writer.WriteStartObject();
                foreach (var (key, value) in map.Children)
                {
                    writer.WritePropertyName(Encoding.UTF8.GetBytes(key.Text()));
                    Write(writer, value);
                }

                writer.WriteEndObject();
                break;
            case YamlSequenceNode list:
                writer.WriteStartArray();
                foreach (var item in list.Children) Write(writer, item);
                writer.WriteEndArray();
                break;
            default:
                WriteScalar(writer, node);
                break;
        }
    }

    private static void WriteScalar(Utf8JsonWriter writer, YamlNode node)
    {
        var text = node.Text();
        if (IsNull(node)) writer.WriteNullValue();
        else if (IsBoolean(node)) writer.WriteBooleanValue(text[0] is 't' or 'T');
        else if (IsNumber(node) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            writer.WriteNumberValue(whole);
        else if (IsNumber(node) && double.Parse(text, CultureInfo.InvariantCulture) is var real && double.IsFinite(real))
            writer.WriteNumberValue(real);
        else writer.WriteStringValue(Encoding.UTF8.GetBytes(text)); // as bytes: half a surrogate pair is replaced, not thrown
    }

    private static string? PlainText(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain, Tag.IsEmpty: true } scalar ? scalar.Value ?? "" : null;

    private static bool IsInteger(string text) => text.TrimStart('-', '+') is { Length: > 0 } digits && digits.All(char.IsAsciiDigit);
}
