using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>A response: a complete body, or a stream that continues (a watch).</summary>
internal sealed record ApiReply(int Code, string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>Writes the body piece by piece; null if <see cref="Body"/> is complete.</summary>
    public Func<Stream, CancellationToken, Task>? Stream { get; init; }

    /// <summary>Seconds of a Retry-After header.</summary>
    public int? RetryAfter { get; init; }

    public static ApiReply Json(int code, JsonNode body) => Json(code, ApiJson.ToUtf8(body));
    public static ApiReply Json(int code, byte[] body) => new(code, "application/json", body);
    public static ApiReply Text(int code, string text) => new(code, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));
    public static ApiReply Of(ApiFault fault) => Json(fault.Code, fault.ToStatus()) with { RetryAfter = fault.RetryAfter };

    public ApiReply ToYaml() => Stream is not null || ContentType != "application/json"
        ? this
        : this with { ContentType = "application/yaml", Body = ApiJson.ToYaml(Body.Span) };

    public async Task WriteAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var response = context.Response;
        response.StatusCode = Code;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-cache, private";
        if (RetryAfter is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (Stream is not null)
        {
            await Stream(response.Body, cancellationToken).ConfigureAwait(false);
            return;
        }

        response.ContentLength = Body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await response.Body.WriteAsync(Body, CancellationToken.None).ConfigureAwait(false);
    }
}

internal enum Representation { Json, Yaml, Table, Metadata, MetadataList }

/// <summary>Reads the Accept header as kube-apiserver does: the first range that can be served wins.</summary>
internal static class Negotiation
{
    /// <exception cref="ApiFault">406: none of the requested forms can be served.</exception>
    public static Representation Of(string accept) => string.IsNullOrWhiteSpace(accept)
        ? Representation.Json
        : accept.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(Parse)
            .OrderByDescending(r => r.Quality)
            .FirstOrDefault(r => r is { Quality: > 0, Served: not null }).Served
        ?? throw ApiFault.NotAcceptable("406: Not Acceptable");

    private static (double Quality, Representation? Served) Parse(string range)
    {
        var parts = range.Split(';', StringSplitOptions.TrimEntries);
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in parts.Skip(1))
            if (part.Split('=', 2) is [{ Length: > 0 } name, var value]) parameters[name] = value.Trim('"');
        var isVersioned = parameters.GetValueOrDefault("v") is "v1" or "v1beta1";
        Representation? served = (parts[0].ToLowerInvariant(), parameters.GetValueOrDefault("as")) switch
        {
            ("application/json" or "application/*" or "*/*", null) => Representation.Json,
            ("application/json", "Table") when isVersioned => Representation.Table,
            ("application/json", "PartialObjectMetadata") when isVersioned => Representation.Metadata,
            ("application/json", "PartialObjectMetadataList") when isVersioned => Representation.MetadataList,
            ("application/yaml", null) => Representation.Yaml,
            _ => null,
        };
        var given = parameters.GetValueOrDefault("q");
        return (double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var quality) ? quality : 1, served);
    }
}

/// <summary>Some objects of one kind, as of a revision. A page that is not the last has a continue token.</summary>
internal sealed record ObjectPage(
    ObjectKind Kind, IReadOnlyList<StoredObject> Items, long Revision, string? Next = null, int? Remaining = null);

/// <summary>Stored objects as responses: alone, in a list, as a table, as an event of a watch.</summary>
internal static class ObjectJson
{
    public static byte[] Single(StoredObject item) =>
        item.JsonWith($"\"kind\":\"{item.Kind.Kind}\",\"apiVersion\":\"{item.Kind.ApiVersion}\",");

    /// <summary>One object in any form but that of a list.</summary>
    public static byte[] Single(StoredObject item, Representation form, DateTimeOffset now) => form switch
    {
        Representation.Table => Table(new ObjectPage(item.Kind, [item], item.Revision), now),
        Representation.Metadata => Build(writer => WriteMetadata(writer, item.Thaw())),
        Representation.MetadataList => throw ApiFault.NotAcceptable(
            $"you requested PartialObjectMetadataList, but the requested object is not a list (*{item.Kind.Package}.{item.Kind.Kind})"),
        _ => Single(item),
    };

    public static byte[] List(ObjectPage page, Representation form, DateTimeOffset now) => form switch
    {
        Representation.Table => Table(page, now),
        Representation.Metadata => throw ApiFault.NotAcceptable(
            $"you requested PartialObjectMetadata, but the requested object is a list (*{page.Kind.Package}.{page.Kind.Kind}List)"),
        _ => Build(writer =>
        {
            var whole = form != Representation.MetadataList;
            if (whole) WriteHead(writer, page.Kind.Kind + "List", page.Kind.ApiVersion, page);
            else WriteHead(writer, "PartialObjectMetadataList", "meta.k8s.io/v1", page);
            writer.WriteStartArray("items");
            foreach (var item in page.Items)
            {
                if (whole)
                {
                    writer.WriteRawValue(item.Json, skipInputValidation: true);
                    continue;
                }

                writer.WriteStartObject();
                WriteMetadata(writer, item.Thaw());
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }),
    };

    /// <summary>The columns of <c>kubectl get</c>.</summary>
    private static byte[] Table(ObjectPage page, DateTimeOffset now) => Build(writer =>
    {
        WriteHead(writer, "Table", "meta.k8s.io/v1", page);
        writer.WriteStartArray("columnDefinitions");
        foreach (var name in (string[])["Name", .. page.Kind.Columns.Select(c => c.Name), "Age"])
        {
            var format = name == "Name" ? "name" : string.Empty;
            writer.WriteRawValue($$"""{"name":"{{name}}","type":"string","format":"{{format}}","description":"","priority":0}""");
        }

        writer.WriteEndArray();
        writer.WriteStartArray("rows");
        foreach (var item in page.Items) WriteRow(writer, item, now);
        writer.WriteEndArray();
    });

    public static byte[] Event(string type, byte[] json) =>
        [.. Encoding.ASCII.GetBytes($"{{\"type\":\"{type}\",\"object\":"), .. json, .. "}\n"u8];

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
            if (cell(source) is { } value) value.WriteTo(writer);
            else writer.WriteNullValue();
        }

        writer.WriteStringValue(Age(ApiJson.TextAt(source, "metadata", "creationTimestamp"), now));
        writer.WriteEndArray();
        writer.WriteStartObject("object");
        WriteMetadata(writer, source);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteMetadata(Utf8JsonWriter writer, JsonObject source)
    {
        writer.WriteString("kind", "PartialObjectMetadata");
        writer.WriteString("apiVersion", "meta.k8s.io/v1");
        writer.WritePropertyName("metadata");
        source["metadata"]!.WriteTo(writer);
    }

    private static string Age(string? created, DateTimeOffset now)
    {
        if (created is null) return "<unknown>";
        var age = now - DateTimeOffset.Parse(created, CultureInfo.InvariantCulture);
        return age switch
        {
            { TotalSeconds: < 0 } => "0s",
            { TotalMinutes: < 2 } => $"{(int)age.TotalSeconds}s",
            { TotalHours: < 2 } => $"{(int)age.TotalMinutes}m",
            { TotalDays: < 2 } => $"{(int)age.TotalHours}h",
            _ => $"{(int)age.TotalDays}d",
        };
    }

    /// <summary>An object as JSON, from what a writer puts into it.</summary>
    public static byte[] Build(Action<Utf8JsonWriter> write)
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
