namespace MeshTrust.Tests.Contracts;

/// <summary>The server that the contracts are held against here: ours. MeshTrust.LiveTests holds them against the referee.</summary>
internal static class ApiServers
{
    public const ServerKind Kind = ServerKind.Embedded;
    public const string Category = nameof(ServerKind.Embedded);

    private static readonly Lazy<Task<ApiServerUnderTest>> Embedded = new(() => EmbeddedApiServer.StartAsync());

    /// <summary>The server, started once in a test run, when the first test asks for it.</summary>
    public static Task<ApiServerUnderTest> GetAsync(ServerKind kind) =>
        kind == Kind ? Embedded.Value : throw new InvalidOperationException($"{kind} is for MeshTrust.LiveTests.");

    public static async Task StopAsync()
    {
        if (Embedded is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) await (await Embedded.Value).DisposeAsync();
    }
}
