using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Objects;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>Stored objects as answers: alone, in a list, as a table, as an event of a watch.</summary>
internal static class ObjectText
{
    public static byte[] Single(StoredObject item)
    {
        // The stored text begins with a brace; kind and version go in behind it.
        var prefix = $"{{\"kind\":\"{item.Kind.Kind}\",\"apiVersion\":\"v1\",";
        var result = new byte[prefix.Length + item.Json.Length - 1];
        Encoding.ASCII.GetBytes(prefix, result);
        item.Json.AsSpan(1).CopyTo(result.AsSpan(prefix.Length));
        return result;
    }

    public static byte[] List(ObjectKind kind, IReadOnlyList<StoredObject> items, long revision, string? next = null, int? remaining = null) => Build(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("kind", kind.ListKind);
        writer.WriteString("apiVersion", "v1");
        WriteListMetadata(writer, revision, next, remaining);
        writer.WriteStartArray("items");
        foreach (var item in items) writer.WriteRawValue(item.Json, skipInputValidation: true);
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    /// <summary>The columns of <c>kubectl get</c>.</summary>
    public static byte[] Table(ObjectKind kind, IReadOnlyList<StoredObject> items, long revision, DateTimeOffset now, string? next = null, int? remaining = null) => Build(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("kind", "Table");
        writer.WriteString("apiVersion", "meta.k8s.io/v1");
        WriteListMetadata(writer, revision, next, remaining);
        writer.WriteStartArray("columnDefinitions");
        foreach (var (name, type) in Columns(kind))
        {
            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteString("type", type);
            writer.WriteString("format", name == "Name" ? "name" : string.Empty);
            writer.WriteString("description", string.Empty);
            writer.WriteNumber("priority", 0);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("rows");
        foreach (var item in items) WriteRow(writer, item, now);
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    public static byte[] Event(string type, ReadOnlySpan<byte> json)
    {
        var prefix = $"{{\"type\":\"{type}\",\"object\":";
        var result = new byte[prefix.Length + json.Length + 2];
        Encoding.ASCII.GetBytes(prefix, result);
        json.CopyTo(result.AsSpan(prefix.Length));
        result[^2] = (byte)'}';
        result[^1] = (byte)'\n';
        return result;
    }

    private static void WriteListMetadata(Utf8JsonWriter writer, long revision, string? next, int? remaining)
    {
        writer.WriteStartObject("metadata");
        writer.WriteString("resourceVersion", JsonText.Number(revision));
        if (next is not null) writer.WriteString("continue", next);
        if (remaining is { } count) writer.WriteNumber("remainingItemCount", count);
        writer.WriteEndObject();
    }

    private static (string Name, string Type)[] Columns(ObjectKind kind) => kind.Kind switch
    {
        "Secret" => [("Name", "string"), ("Type", "string"), ("Data", "string"), ("Age", "string")],
        "ConfigMap" => [("Name", "string"), ("Data", "string"), ("Age", "string")],
        _ => [("Name", "string"), ("Status", "string"), ("Age", "string")],
    };

    private static void WriteRow(Utf8JsonWriter writer, StoredObject item, DateTimeOffset now)
    {
        var source = item.Thaw();
        writer.WriteStartObject();
        writer.WriteStartArray("cells");
        writer.WriteStringValue(item.Name);
        if (item.Kind != ObjectKind.ConfigMap) writer.WriteStringValue(item.Type);
        if (item.Kind != ObjectKind.Namespace) writer.WriteNumberValue(((source["data"] as JsonObject)?.Count ?? 0) + ((source["binaryData"] as JsonObject)?.Count ?? 0));
        writer.WriteStringValue(Age(JsonText.TextAt(source, "metadata", "creationTimestamp"), now));
        writer.WriteEndArray();
        writer.WriteStartObject("object");
        writer.WriteString("kind", "PartialObjectMetadata");
        writer.WriteString("apiVersion", "meta.k8s.io/v1");
        writer.WritePropertyName("metadata");
        source["metadata"]!.WriteTo(writer);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static string Age(string? created, DateTimeOffset now)
    {
        if (!DateTimeOffset.TryParse(created, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return "<unknown>";
        var age = now - time;
        return age switch
        {
            { TotalSeconds: < 0 } => "0s",
            { TotalMinutes: < 2 } => $"{(int)age.TotalSeconds}s",
            { TotalHours: < 2 } => $"{(int)age.TotalMinutes}m",
            { TotalDays: < 2 } => $"{(int)age.TotalHours}h",
            _ => $"{(int)age.TotalDays}d",
        };
    }

    private static byte[] Build(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var writer = new Utf8JsonWriter(buffer)) write(writer);
        return buffer.WrittenSpan.ToArray();
    }
}
