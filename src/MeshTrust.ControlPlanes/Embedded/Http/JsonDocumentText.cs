using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Objects;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>Reads JSON that somebody sent, to the last value, so that no defect shows later.</summary>
internal static class JsonDocumentText
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    /// <exception cref="ApiFault">400; the message says where and never quotes.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> text, Func<string, string> message)
    {
        try
        {
            var node = JsonNode.Parse(text, documentOptions: Options);
            Read(node, message);
            return node;
        }
        catch (JsonException e)
        {
            throw ApiFault.BadRequest(message($"invalid JSON, or a name that stands twice, in line {e.LineNumber + 1} at byte {e.BytePositionInLine}"));
        }
        catch (InvalidOperationException)
        {
            throw ApiFault.BadRequest(message("a text is no valid Unicode"));
        }
    }

    // Values are decoded when they are read first: half a surrogate pair is found here and not in the middle of a write.
    private static void Read(JsonNode? node, Func<string, string> message)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list) Read(item, message);
        }
        else if (node is JsonObject map)
        {
            foreach (var (name, value) in map)
            {
                if (name.Contains('\0', StringComparison.Ordinal)) throw ApiFault.BadRequest(message("a name holds the character NUL"));
                Read(value, message);
            }
        }
        else if (node is JsonValue value && value.GetValueKind() == JsonValueKind.String)
        {
            _ = value.GetValue<string>();
        }
    }
}
