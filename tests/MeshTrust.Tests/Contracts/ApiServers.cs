using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Contracts;

/// <summary>The servers that the contracts are held against, each started once in a test run, when the first test asks for it.</summary>
internal static class ApiServers
{
    private static readonly Lazy<Task<ApiServerUnderTest>> Embedded = new(() => EmbeddedApiServer.StartAsync());
    private static readonly Lazy<Task<ApiServerUnderTest>> Real = new(() => RealApiServer.StartAsync(OutsideTool.TryFind("etcd")!, OutsideTool.TryFind("kube-apiserver")!));

    /// <summary>The server of that kind; ends the test where the programs for it are missing.</summary>
    public static Task<ApiServerUnderTest> GetAsync(ServerKind kind)
    {
        if (kind == ServerKind.Embedded) return Embedded.Value;
        if (OperatingSystem.IsWindows()) Assert.Ignore("NOT RUN: the referee, a real kube-apiserver, is started on POSIX systems only.");
        foreach (var program in (string[])["etcd", "kube-apiserver"]) OutsideTool.Find(program);
        return Real.Value;
    }

    public static async Task StopAsync()
    {
        foreach (var server in (Lazy<Task<ApiServerUnderTest>>[])[Embedded, Real])
        {
            if (server is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) await (await server.Value).DisposeAsync();
        }
    }
}
