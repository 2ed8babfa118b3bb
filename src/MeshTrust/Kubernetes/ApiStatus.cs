using System.Text.Json;
using System.Text.RegularExpressions;

namespace MeshTrust.Kubernetes;

/// <summary>The Status body of a refusal (k8s.io/apimachinery meta/v1 Status), read with care: a proxy may have answered instead.</summary>
internal sealed partial record ApiStatus(string Reason, string Message, string? Kind, IReadOnlyList<ApiStatusCause> Causes, bool IsStatus)
{
    internal static ApiStatus Read(ApiAnswer answer)
    {
        using var document = answer.Json();
        if (document is null || Text(document.RootElement, "kind") != "Status") return new("", "", null, [], false);
        var root = document.RootElement;
        var details = root.TryGetProperty("details", out var d) && d.ValueKind == JsonValueKind.Object ? d : default;
        var causes = details.ValueKind == JsonValueKind.Object && details.TryGetProperty("causes", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Where(c => c.ValueKind == JsonValueKind.Object)
                .Select(c => new ApiStatusCause(Text(c, "reason") ?? "", Clean(Text(c, "message") ?? ""), Text(c, "field") ?? "")).ToList()
            : [];
        var kind = details.ValueKind == JsonValueKind.Object ? Text(details, "kind") : null;
        return new(Text(root, "reason") ?? "", Clean(Text(root, "message") ?? ""), kind, causes, true);
    }

    /// <summary>A server's words on one line, short, and without anything that could be a key: a webhook may quote the object it refuses.</summary>
    internal static string Clean(string text)
    {
        var line = Whitespace().Replace(LongSecret().Replace(Pem().Replace(text, "***"), "***"), " ").Trim();
        return line.Length <= 400 ? line : line[..400] + "...";
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    [GeneratedRegex(@"-----BEGIN.*?(-----END[^-]*-----|$)", RegexOptions.Singleline)]
    private static partial Regex Pem();

    /// <summary>Forty letters of base64 in a row: longer than any name that Kubernetes uses without a dot or a dash.</summary>
    [GeneratedRegex(@"[A-Za-z0-9+/=\\]{40,}")]
    private static partial Regex LongSecret();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}
