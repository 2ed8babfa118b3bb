using MeshTrust.Kubeconfig;

namespace MeshTrust.Tests.Contracts;

/// <summary>The library's own client with both servers.</summary>
[TestFixture(ApiServers.Kind, Category = ApiServers.Category)]
public sealed class ClusterApiOnServerTests(ServerKind kind) : ClusterApiContract
{
    private ClusterAccess _administrator = null!;
    private ClusterAccess _unprivileged = null!;

    protected override ClusterAccess Administrator => _administrator;

    protected override ClusterAccess? Unprivileged => _unprivileged;

    [OneTimeSetUp]
    public async Task ReachTheServer()
    {
        var server = await ApiServers.GetAsync(kind);
        _administrator = server.Access(server.AdministratorKubeconfig);
        _unprivileged = server.Access(await server.AddUserAsync("nobody", [], []));
    }
}
