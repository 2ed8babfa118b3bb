using MeshTrust.ControlPlanes.Embedded;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Contracts;

/// <summary>The embedded server, in this process.</summary>
public sealed class EmbeddedApiServer : ApiServerUnderTest
{
    private readonly EmbeddedControlPlane _plane;

    private EmbeddedApiServer(EmbeddedControlPlane plane)
    {
        _plane = plane;
        Started();
    }

    public override Uri Server => _plane.Server;

    public override string AdministratorKubeconfig => _plane.KubeconfigText;

    /// <summary>Starts one that, like a bare kube-apiserver, has no controller that removes namespaces.</summary>
    public static async Task<ApiServerUnderTest> StartAsync() =>
        new EmbeddedApiServer(await EmbeddedControlPlane.StartAsync(new EmbeddedControlPlaneOptions { Name = ClusterName.Parse("east"), DeletesNamespaces = false }, CancellationToken.None));

    public override Task<string> AddUserAsync(string name, IReadOnlyList<string> groups, IReadOnlyList<UserGrant> grants) =>
        Task.FromResult(_plane.AddUser(name, groups, [.. grants.Select(g => new AccessGrant { Namespace = g.Namespace, Resources = g.Resources, Verbs = g.Verbs })]));

    protected override async Task StopAsync() => await _plane.DisposeAsync();
}
