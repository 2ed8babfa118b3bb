using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>A body that was read whole, and the media type that it claims. It is in no ToString: it may hold keys.</summary>
internal sealed class RequestBody(byte[] bytes, string mediaType)
{
    private const int Limit = 3 * 1024 * 1024;
    private const string Protobuf = "application/vnd.kubernetes.protobuf";

    public byte[] Bytes { get; } = bytes;

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

    /// <summary>The media type without parameters, in lower case.</summary>
    public static string MediaTypeOf(HttpRequest request) => (request.ContentType ?? string.Empty).Split(';')[0].Trim().ToLowerInvariant();

    /// <summary>The object in the body of a POST, PUT or DELETE.</summary>
    /// <param name="kind">What it must be.</param>
    /// <param name="schema">Its shape, for protobuf; null where no client sends it so.</param>
    /// <exception cref="ApiFault">415 for another media type, 400 where it cannot be read.</exception>
    public JsonObject Decode(string kind, StructField? schema)
    {
        var unrecognized = $"the object provided is unrecognized (must be of type {kind}): ";
        return mediaType switch
        {
            "" or "application/json" =>
                ApiJson.Parse(Bytes, e => $"{unrecognized}couldn't get version/kind; json parse error: {e}") as JsonObject
                ?? throw ApiFault.BadRequest(unrecognized + "it is no JSON object"),
            "application/yaml" =>
                ApiJson.ParseYaml(Bytes, "error converting YAML to JSON: ")
                ?? throw ApiFault.BadRequest(unrecognized + "it is no mapping"),
            Protobuf =>
                KubernetesProtobuf.Decode(Bytes, kind, schema)
                ?? throw ApiFault.BadRequest(unrecognized + "it cannot be read as Kubernetes' protobuf"),
            _ => throw new ApiFault(415, "UnsupportedMediaType",
                $"the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, {Protobuf}"),
        };
    }

    private static ApiFault TooLarge() => new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {Limit}");
}
