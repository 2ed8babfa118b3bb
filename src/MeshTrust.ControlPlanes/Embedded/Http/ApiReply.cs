using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Objects;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>An answer: a body that is whole, or a stream that goes on (a watch).</summary>
internal sealed record ApiReply
{
    public required int Code { get; init; }

    public required string ContentType { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Writes the body piece by piece; null where <see cref="Body"/> is all.</summary>
    public Func<Stream, CancellationToken, Task>? Stream { get; init; }

    /// <summary>Seconds of a Retry-After header.</summary>
    public int? RetryAfter { get; init; }

    public static ApiReply Json(int code, JsonNode body) => Json(code, JsonText.ToUtf8(body));

    public static ApiReply Json(int code, ReadOnlyMemory<byte> body) => new() { Code = code, ContentType = "application/json", Body = body };

    public static ApiReply Text(int code, string text) =>
        new() { Code = code, ContentType = "text/plain; charset=utf-8", Body = Encoding.UTF8.GetBytes(text) };

    public static ApiReply Of(ApiFault fault) => Json(fault.Code, fault.ToStatus()) with { RetryAfter = fault.RetryAfter };
}
