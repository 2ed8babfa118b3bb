using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Objects;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>A body that was read whole, and what it says it is. It is in no ToString: it may hold keys.</summary>
internal sealed class RequestBody
{
    private const int Limit = 3 * 1024 * 1024;

    private RequestBody(byte[] bytes, string mediaType)
    {
        Bytes = bytes;
        MediaType = mediaType;
    }

    public byte[] Bytes { get; }

    /// <summary>The media type without parameters, in lower case.</summary>
    public string MediaType { get; }

    /// <exception cref="ApiFault">413 above 3 MiB.</exception>
    public static async Task<RequestBody> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > Limit) throw TooLarge();
        using var buffer = new MemoryStream((int)(request.ContentLength ?? 0));
        var piece = new byte[16 * 1024];
        int count;
        while ((count = await request.Body.ReadAsync(piece, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (buffer.Length + count > Limit) throw TooLarge();
            buffer.Write(piece, 0, count);
        }

        return new RequestBody(buffer.ToArray(), MediaTypeOf(request));
    }

    public static string MediaTypeOf(HttpRequest request) => (request.ContentType ?? string.Empty).Split(';')[0].Trim().ToLowerInvariant();

    /// <summary>The object in the body of a POST, PUT or DELETE.</summary>
    /// <exception cref="ApiFault">415 for another media type, 400 where it cannot be read.</exception>
    public JsonObject Decode(string kind)
    {
        switch (MediaType)
        {
            case "" or "application/json":
                return JsonDocumentText.Parse(Bytes, e => $"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {e}") as JsonObject
                    ?? throw ApiFault.BadRequest($"the object provided is unrecognized (must be of type {kind}): it is no JSON object");
            case "application/yaml":
                return YamlText.Parse(Bytes, "error converting YAML to JSON: ") as JsonObject
                    ?? throw ApiFault.BadRequest($"the object provided is unrecognized (must be of type {kind}): it is no mapping");
            case "application/vnd.kubernetes.protobuf":
                return KubernetesProtobuf.Decode(Bytes)
                    ?? throw ApiFault.BadRequest($"the object provided is unrecognized (must be of type {kind}): it cannot be read as Kubernetes' protobuf");
            default:
                throw new ApiFault(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf");
        }
    }

    private static ApiFault TooLarge() => new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {Limit}");
}
