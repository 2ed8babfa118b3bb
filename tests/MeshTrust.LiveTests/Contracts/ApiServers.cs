using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Contracts;

/// <summary>The servers that the contracts run against, each started once per test run, when the first test needs it.</summary>
internal static class ApiServers
{
    /// <summary>MeshTrust.Tests runs the same contracts against the embedded server.</summary>
    public const ServerKind Kind = ServerKind.Native;
    public const string Category = OutsideTool.Category;

    private static readonly Lazy<Task<ApiServerUnderTest>> Embedded = new(() => EmbeddedApiServer.StartAsync());
    private static readonly Lazy<Task<ApiServerUnderTest>> Native = new(() => NativeApiServer.StartAsync());

    /// <summary>The server of that kind; ends the test if its programs are missing.</summary>
    public static Task<ApiServerUnderTest> GetAsync(ServerKind kind)
    {
        if (kind == ServerKind.Embedded) return Embedded.Value;
        // Every test that needs them reports that they are missing, not only the first.
        foreach (var program in (string[])["etcd", "kube-apiserver"]) OutsideTool.Find(program);
        return Native.Value;
    }

    public static async Task StopAsync()
    {
        foreach (var server in (Lazy<Task<ApiServerUnderTest>>[])[Embedded, Native])
        {
            if (server is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) await (await server.Value).DisposeAsync();
        }
    }
}
