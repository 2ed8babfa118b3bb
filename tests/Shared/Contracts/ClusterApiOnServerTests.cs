using MeshTrust.Kubeconfig;

namespace MeshTrust.Tests.Contracts;

/// <summary>The library's own client with both servers.</summary>
[TestFixture(ApiServers.Kind, Category = ApiServers.Category)]
public sealed class ClusterApiOnServerTests(ServerKind kind) : ClusterApiContract
{
    private ClusterAccess _administrator = null!;
    private ClusterAccess _nobody = null!;

    protected override ClusterAccess Administrator => _administrator;

    protected override ClusterAccess? Nobody => _nobody;

    [OneTimeSetUp]
    public async Task ReachTheServer()
    {
        var server = await ApiServers.GetAsync(kind);
        _administrator = server.Access(server.AdministratorKubeconfig);
        _nobody = server.Access(await server.AddUserAsync("nobody", [], []));
    }
}
