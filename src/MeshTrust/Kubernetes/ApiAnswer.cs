using System.Text.Json;

namespace MeshTrust.Kubernetes;

/// <summary>What an API server answered. The body of a secret never gets into its ToString.</summary>
internal sealed record ApiAnswer(int StatusCode, byte[] Body, TimeSpan? RetryAfter)
{
    internal bool IsSuccess => StatusCode is >= 200 and < 300;

    /// <summary>Whether the same request may succeed in a moment.</summary>
    internal bool IsTransient => StatusCode is 429 or 500 or 502 or 503 or 504;

    /// <summary>The body as a JSON object; null where it is none.</summary>
    internal JsonDocument? Json()
    {
        try
        {
            var document = JsonDocument.Parse(Body);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
        }
        catch (JsonException)
        {
            // An HTML page of a proxy, for instance: the caller tells it.
        }
        return null;
    }

    public override string ToString() => $"HTTP {StatusCode}, {Body.Length} bytes";
}
