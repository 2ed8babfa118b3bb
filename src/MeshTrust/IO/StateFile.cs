using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace MeshTrust.IO;

/// <summary>A JSON document that MeshTrust keeps for its next run. It has a version; a file of another version is rejected.</summary>
/// <remarks>The fault of a file that cannot be read comes from its path and the reason.</remarks>
internal sealed class StateFile<T>(JsonTypeInfo<T> json, Func<string, string, MeshTrustException> fault)
    where T : class
{
    private const string VersionKey = "version";
    private const int Version = 1;

    public T Parse(string text, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var isKnown = document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty(VersionKey, out var version) && version.TryGetInt32(out var number) && number == Version;
            return isKnown ? JsonSerializer.Deserialize(text, json)! : throw new FormatException($"its version is not {Version}");
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or InvalidOperationException)
        {
            throw fault(path, e is JsonException bad ? $"invalid JSON near line {bad.LineNumber + 1}" : e.Message.TrimEnd('.'));
        }
    }

    public string ToJson(T value)
    {
        var node = (JsonObject)JsonSerializer.SerializeToNode(value, json)!;
        node.Insert(0, VersionKey, Version);
        return node.ToJsonString(json.Options) + "\n";
    }
}

/// <summary>A value that JSON stores as the text of <see cref="object.ToString"/>.</summary>
internal abstract class TextConverter<T>(Func<string, T> parse) : JsonConverter<T>
    where T : notnull
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        parse(reader.GetString() ?? throw new JsonException());

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
