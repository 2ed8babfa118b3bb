using System.Text.Json;
using System.Text.RegularExpressions;

namespace MeshTrust.Kubernetes;

/// <summary>One request to an API server, with its description for messages. Its ToString never shows the body.</summary>
internal sealed record ApiRequest
{
    internal HttpMethod Method { get; init; } = HttpMethod.Get;

    /// <summary>Path and query, from the server's root.</summary>
    internal required string Path { get; init; }

    /// <summary>The verb that RBAC knows: get, list or patch.</summary>
    internal string Verb { get; init; } = "get";

    /// <summary>The resource in RBAC's plural, for instance <c>secrets</c>; empty for <c>/version</c>.</summary>
    internal string Resource { get; init; } = "";

    internal string? Namespace { get; init; }
    internal string? Name { get; init; }

    /// <summary>The body of a patch; it may hold a key.</summary>
    internal ReadOnlyMemory<byte> Body { get; init; }
    internal string ContentType { get; init; } = "";
    internal bool Writes => Verb == "patch";

    /// <summary>For people: <c>secret istio-system/cacerts</c>.</summary>
    internal string Object => (Resource, Namespace, Name) switch
    {
        ("", _, _) => Path,
        (_, null, null) => $"{Resource} of all namespaces",
        (_, _, null) => $"{Resource} {Namespace}",
        (_, null, _) => $"{Resource[..^1]} {Name}",
        _ => $"{Resource[..^1]} {Namespace}/{Name}",
    };

    /// <summary>For people: <c>reading secret istio-system/cacerts</c>.</summary>
    internal string Doing => $"{(Writes ? "writing" : Verb == "list" ? "listing" : "reading")} {Object}";

    public override string ToString() => $"{Method} {Path}";
}

/// <summary>What an API server answered. Its ToString never shows the body, which may be a secret.</summary>
internal sealed record ApiResponse(int StatusCode, byte[] Body, TimeSpan? RetryAfter)
{
    /// <summary>Whether an earlier attempt of a write, whose response was lost, may have been applied.</summary>
    internal bool MayHaveBeenApplied { get; init; }

    internal bool IsSuccess => StatusCode is >= 200 and < 300;

    /// <summary>Whether a retry may succeed shortly.</summary>
    internal bool IsTransient => StatusCode is 429 or 500 or 502 or 503 or 504;

    /// <summary>The body as a JSON object; null for anything else, for instance an HTML page of a proxy.</summary>
    internal JsonDocument? Json()
    {
        try
        {
            var document = JsonDocument.Parse(Body);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public override string ToString() => $"HTTP {StatusCode}, {Body.Length} bytes";
}

/// <summary>The Status body of a rejection (k8s.io/apimachinery meta/v1 Status); it is empty where a proxy answered instead.</summary>
internal sealed partial record ApiStatus(string Reason, string Message, string? Kind, IReadOnlyList<ApiStatus.Cause> Causes, bool IsStatus)
{
    internal sealed record Cause(string Reason, string Message, string Field);

    internal static ApiStatus Read(ApiResponse response)
    {
        using var document = response.Json();
        if (document is null || Text(document.RootElement, "kind") != "Status") return new("", "", null, [], false);
        var root = document.RootElement;
        var details = root.TryGetProperty("details", out var d) && d.ValueKind == JsonValueKind.Object ? d : (JsonElement?)null;
        IEnumerable<JsonElement> causes =
            details?.TryGetProperty("causes", out var list) == true && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];
        return new(Text(root, "reason") ?? "", Clean(Text(root, "message") ?? ""), details is { } named ? Text(named, "kind") : null,
            [.. causes.Where(c => c.ValueKind == JsonValueKind.Object)
                .Select(c => new Cause(Text(c, "reason") ?? "", Clean(Text(c, "message") ?? ""), Text(c, "field") ?? ""))],
            true);
    }

    internal bool HasCause(string reason) => Causes.Any(c => c.Reason == reason);

    /// <summary>A message on one short line, possible keys masked: a webhook may quote what it rejects.</summary>
    internal static string Clean(string text)
    {
        var line = Whitespace().Replace(LongSecret().Replace(Pem().Replace(text, "***"), "***"), " ").Trim();
        return line.Length <= 400 ? line : line[..400] + "...";
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    [GeneratedRegex(@"-----BEGIN.*?(-----END[^-]*-----|$)", RegexOptions.Singleline)]
    private static partial Regex Pem();

    /// <summary>Forty base64 characters in a row: longer than any name without a dot or a dash that Kubernetes uses.</summary>
    [GeneratedRegex(@"[A-Za-z0-9+/=\\]{40,}")]
    private static partial Regex LongSecret();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}
