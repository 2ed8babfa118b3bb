using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Native;
using MeshTrust.Tests.ControlPlanes.Native;

namespace MeshTrust.Tests.Contracts;

/// <summary>The reference server: a kube-apiserver on its own etcd, as the library starts them; no controllers, no nodes, RBAC on.</summary>
public sealed class NativeApiServer : ApiServerUnderTest
{
    private readonly NativeControlPlanes _planes;
    private readonly NativeControlPlane _plane;

    private NativeApiServer(NativeControlPlanes planes)
    {
        _planes = planes;
        _plane = planes.Planes.Values.Single();
        Started();
    }

    public override Uri Server => _plane.Server;

    public override string AdministratorKubeconfig => _plane.KubeconfigText;

    /// <summary>Starts one; ends the test if the programs are missing.</summary>
    public static async Task<ApiServerUnderTest> StartAsync() =>
        new NativeApiServer(await NativeControlPlanes.StartAsync(new NativeControlPlanesOptions { Names = ["east"], Binaries = RealBinaries.Find(), StartTimeout = TimeSpan.FromMinutes(3) }));

    public override async Task<string> AddUserAsync(string name, IReadOnlyList<string> groups, IReadOnlyList<UserGrant> grants)
    {
        using var admin = new RawApiClient(ClientCredentials.Parse(AdministratorKubeconfig));
        foreach (var grant in grants) await BindAsync(admin, name, grant);
        var kubeconfig = _plane.AddUser(name, groups);
        using var user = new RawApiClient(ClientCredentials.Parse(kubeconfig));
        foreach (var grant in grants)
        {
            foreach (var (resource, verb) in grant.Resources.SelectMany(r => grant.Verbs.Select(v => (r, v))))
            {
                await Eventually.IsTrueAsync($"{name} may {verb} {resource}", () => AccessReview.AllowsAsync(user, grant.Namespace, resource, verb));
            }
        }

        return kubeconfig;
    }

    protected override async Task StopAsync() => await _planes.DisposeAsync();

    private static async Task BindAsync(RawApiClient admin, string user, UserGrant grant)
    {
        var (prefix, where) = grant.Namespace is null ? ("Cluster", "") : ("", $"/namespaces/{grant.Namespace}");
        var name = $"grant-{Guid.NewGuid():N}";
        var rule = new JsonObject
        {
            ["apiGroups"] = new JsonArray(""),
            ["resources"] = new JsonArray([.. grant.Resources.Select(r => (JsonNode)r)]),
            ["verbs"] = new JsonArray([.. grant.Verbs.Select(v => (JsonNode)v)]),
        };
        var path = $"/apis/rbac.authorization.k8s.io/v1{where}/{prefix.ToLowerInvariant()}role";
        (await admin.PostAsync($"{path}s", new JsonObject
        {
            ["apiVersion"] = "rbac.authorization.k8s.io/v1",
            ["kind"] = $"{prefix}Role",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["rules"] = new JsonArray(rule),
        })).Gives(201);
        (await admin.PostAsync($"{path}bindings", new JsonObject
        {
            ["apiVersion"] = "rbac.authorization.k8s.io/v1",
            ["kind"] = $"{prefix}RoleBinding",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = $"{prefix}Role", ["name"] = name },
            ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "User", ["name"] = user }),
        })).Gives(201);
    }
}
