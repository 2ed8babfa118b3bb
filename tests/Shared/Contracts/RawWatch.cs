using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>An open watch: one JSON event per line.</summary>
public sealed class RawWatch(HttpResponseMessage response, Stream body) : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private readonly StreamReader _lines = new(body);

    public int Code => (int)response.StatusCode;

    public string? MediaType => response.Content.Headers.ContentType?.ToString();

    /// <summary>The next event; null if the server ended the watch.</summary>
    /// <exception cref="OperationCanceledException">No event arrived in time.</exception>
    public async Task<JsonNode?> NextAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        return await _lines.ReadLineAsync(deadline.Token) is { } line ? JsonNode.Parse(line) : null;
    }

    /// <summary>The next events as <c>ADDED name</c>.</summary>
    public async Task<IReadOnlyList<string>> NextAsync(int count)
    {
        var result = new List<string>();
        while (result.Count < count && await NextAsync() is { } e) result.Add($"{e["type"]} {e["object"]!["metadata"]!["name"]}");
        return result;
    }

    public void Dispose()
    {
        _lines.Dispose();
        response.Dispose();
    }
}
