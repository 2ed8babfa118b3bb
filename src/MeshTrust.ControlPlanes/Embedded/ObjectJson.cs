using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>Some objects of one kind, as of a revision. A page that is not the last says how to go on.</summary>
internal sealed record ObjectPage(ObjectKind Kind, IReadOnlyList<StoredObject> Items, long Revision, string? Next = null, int? Remaining = null);

/// <summary>Stored objects as answers: alone, in a list, as a table, as an event of a watch.</summary>
internal static class ObjectJson
{
    public static byte[] Single(StoredObject item) => item.JsonWith($"\"kind\":\"{item.Kind.Kind}\",\"apiVersion\":\"{item.Kind.ApiVersion}\",");

    public static byte[] List(ObjectPage page) => Build(writer =>
    {
        WriteHead(writer, page.Kind.Kind + "List", page.Kind.ApiVersion, page);
        writer.WriteStartArray("items");
        foreach (var item in page.Items) writer.WriteRawValue(item.Json, skipInputValidation: true);
        writer.WriteEndArray();
    });

    /// <summary>The columns of <c>kubectl get</c>.</summary>
    public static byte[] Table(ObjectPage page, DateTimeOffset now) => Build(writer =>
    {
        WriteHead(writer, "Table", "meta.k8s.io/v1", page);
        writer.WriteStartArray("columnDefinitions");
        foreach (var name in (string[])["Name", .. page.Kind.Columns.Select(c => c.Name), "Age"])
        {
            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteString("type", "string");
            writer.WriteString("format", name == "Name" ? "name" : string.Empty);
            writer.WriteString("description", string.Empty);
            writer.WriteNumber("priority", 0);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("rows");
        foreach (var item in page.Items) WriteRow(writer, item, now);
        writer.WriteEndArray();
    });

    public static byte[] Event(string type, ReadOnlySpan<byte> json)
    {
        var buffer = new ArrayBufferWriter<byte>(json.Length + 64);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            writer.WritePropertyName("object");
            writer.WriteRawValue(json, skipInputValidation: true);
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteHead(Utf8JsonWriter writer, string kind, string apiVersion, ObjectPage page)
    {
        writer.WriteString("kind", kind);
        writer.WriteString("apiVersion", apiVersion);
        writer.WriteStartObject("metadata");
        writer.WriteString("resourceVersion", ApiJson.Number(page.Revision));
        if (page.Next is not null) writer.WriteString("continue", page.Next);
        if (page.Remaining is { } count) writer.WriteNumber("remainingItemCount", count);
        writer.WriteEndObject();
    }

    private static void WriteRow(Utf8JsonWriter writer, StoredObject item, DateTimeOffset now)
    {
        var source = item.Thaw();
        writer.WriteStartObject();
        writer.WriteStartArray("cells");
        writer.WriteStringValue(item.Name);
        foreach (var (_, cell) in item.Kind.Columns)
        {
            if (cell(item, source) is { } value) value.WriteTo(writer);
            else writer.WriteNullValue();
        }

        writer.WriteStringValue(Age(ApiJson.TextAt(source, "metadata", "creationTimestamp"), now));
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
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
