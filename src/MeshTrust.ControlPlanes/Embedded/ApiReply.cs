using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>An answer: a body that is whole, or a stream that goes on (a watch).</summary>
internal sealed record ApiReply(int Code, string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>Writes the body piece by piece; null where <see cref="Body"/> is all.</summary>
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

/// <summary>The forms in which an object can be answered.</summary>
internal enum Representation
{
    Json,
    Yaml,
    Table,
}

/// <summary>Reads the Accept header as kube-apiserver does: the first range that can be served wins.</summary>
internal static class Negotiation
{
    /// <exception cref="ApiFault">406: nothing that is asked for can be served.</exception>
    public static Representation Of(string accept) => string.IsNullOrWhiteSpace(accept)
        ? Representation.Json
        : accept.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(Parse)
            .OrderByDescending(r => r.Quality)
            .FirstOrDefault(r => r is { Quality: > 0, Served: not null }).Served
        ?? throw new ApiFault(406, "NotAcceptable", "406: Not Acceptable", []);

    private static (double Quality, Representation? Served) Parse(string range)
    {
        var parts = range.Split(';', StringSplitOptions.TrimEntries);
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in parts.Skip(1))
            if (part.Split('=', 2) is [{ Length: > 0 } name, var value]) parameters[name] = value.Trim('"');
        Representation? served = (parts[0].ToLowerInvariant(), parameters.GetValueOrDefault("as")) switch
        {
            ("application/json" or "application/*" or "*/*", null) => Representation.Json,
            ("application/json", "Table") when parameters.GetValueOrDefault("v") is "v1" or "v1beta1" => Representation.Table,
            ("application/yaml", null) => Representation.Yaml,
            _ => null,
        };
        var hasQuality = double.TryParse(parameters.GetValueOrDefault("q"), NumberStyles.Float, CultureInfo.InvariantCulture, out var quality);
        return (hasQuality ? quality : 1, served);
    }
}
