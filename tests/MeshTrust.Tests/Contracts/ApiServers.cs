namespace MeshTrust.Tests.Contracts;

/// <summary>The server that the contracts run against here: the embedded one. MeshTrust.LiveTests runs them against a real one.</summary>
internal static class ApiServers
{
    public const ServerKind Kind = ServerKind.Embedded;
    public const string Category = nameof(ServerKind.Embedded);

    private static readonly Lazy<Task<ApiServerUnderTest>> Embedded = new(() => EmbeddedApiServer.StartAsync());

    /// <summary>The server, started once per test run, when the first test needs it.</summary>
    public static Task<ApiServerUnderTest> GetAsync(ServerKind kind) =>
        kind == Kind ? Embedded.Value : throw new InvalidOperationException($"{kind} is for MeshTrust.LiveTests.");

    public static async Task StopAsync()
    {
        if (Embedded is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) await (await Embedded.Value).DisposeAsync();
    }
}
