using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.IO;
using YamlDotNet.RepresentationModel;
using YamlDotNet.Serialization;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>JSON and YAML as the API accepts and returns them. Everything is read at once, so that no defect shows up later.</summary>
internal static class ApiJson
{
    private const int Deepest = 64;
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = Deepest };
    private static readonly YamlLimits Limits = new(Deepest, Nodes: 100_000, Aliases: true, Tags: true);

    public static byte[] ToUtf8(JsonNode node)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Plain)) node.WriteTo(writer);
        return stream.ToArray();
    }

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The node at a path of names joined by dots; null if there is none.</summary>
    public static JsonNode? At(JsonNode? source, string path) => path.Split('.').Aggregate(source, (at, name) => (at as JsonObject)?[name]);

    public static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => JsonValue.Create(t))]);

    public static string? TextAt(JsonObject? source, string first, string second) =>
        source?[first] is JsonObject o && o[second] is JsonValue v && v.TryGetValue<string>(out var text) ? text : null;

    /// <exception cref="ApiFault">400; the message says where and never quotes.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> text, Func<string, string> message)
    {
        try
        {
            var node = JsonNode.Parse(text, documentOptions: Strict);
            return HasNulInName(node) ? throw ApiFault.BadRequest(message("a name holds the character NUL")) : node;
        }
        catch (JsonException e)
        {
            // The reader has no place for a duplicate.
            throw ApiFault.BadRequest(message(e.LineNumber is { } line
                ? $"invalid JSON in line {line + 1} at byte {e.BytePositionInLine}"
                : "the same name twice in one object"));
        }
        catch (InvalidOperationException)
        {
            throw ApiFault.BadRequest(message("a text is not valid Unicode"));
        }
    }

    /// <summary>The mapping in a document; null if it contains something else.</summary>
    /// <exception cref="ApiFault">400; the message says where and never quotes.</exception>
    public static JsonObject? ParseYaml(byte[] text, string prefix)
    {
        const string Unreadable = "not UTF-8, the same name twice in one mapping, or larger than this server reads";
        try
        {
            var reading = BoundedYaml.Read(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text), Limits);
            if (reading.Faults is not [var fault, ..]) return reading.Root is YamlMappingNode map ? JsonObject.Create(map.ToJson()) : null;
            var isUnreadable = fault.Kind is YamlFaultKind.TooDeep or YamlFaultKind.TooMany or YamlFaultKind.Unreadable;
            throw ApiFault.BadRequest($"{prefix}yaml: {(isUnreadable ? Unreadable : $"line {fault.Line}: not readable")}");
        }
        catch (ArgumentException)
        {
            throw ApiFault.BadRequest($"{prefix}yaml: {Unreadable}");
        }
    }

    public static byte[] ToYaml(ReadOnlySpan<byte> json) =>
        Encoding.UTF8.GetBytes(new SerializerBuilder().WithQuotingNecessaryStrings().Build().Serialize(Sorted(JsonNode.Parse(json))!));

    // Values are decoded when they are first read: half a surrogate pair is detected here and not in the middle of a write.
    private static bool HasNulInName(JsonNode? node)
    {
        if (node is JsonValue value && value.GetValueKind() == JsonValueKind.String) _ = value.GetValue<string>();
        return node switch
        {
            JsonArray list => list.Any(HasNulInName),
            JsonObject map => map.Any(p => p.Key.Contains('\0', StringComparison.Ordinal) || HasNulInName(p.Value)),
            _ => false,
        };
    }

    private static object? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new SortedDictionary<string, object?>(map.ToDictionary(p => p.Key, p => Sorted(p.Value)), StringComparer.Ordinal),
        JsonArray list => list.Select(Sorted).ToList(),
        JsonValue value => value.GetValueKind() switch
        {
            JsonValueKind.String => value.GetValue<string>(),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => decimal.Parse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture),
        },
        _ => null,
    };
}
