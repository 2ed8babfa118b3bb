using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.Checks;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;
using MeshTrust.Tests.Istiod;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Verification;

/// <summary>Clusters in memory, each with a certificate service in this process.</summary>
internal sealed class RunningMesh : IAsyncDisposable
{
    private readonly List<MemoryClusterApi> _apis = [];
    private readonly List<CertificateService> _services = [];

    /// <summary>The root of the secrets.</summary>
    public static CraftedCertificate Root { get; } = CraftedCertificate.Root();

    public Dictionary<string, string> Primaries { get; } = [];

    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    public async Task<MemoryClusterApi> AddAsync(string name, Func<Behaviour, Behaviour>? change = null, bool publishes = true, bool runs = true)
    {
        var files = CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, name));
        var api = new MemoryClusterApi(name) { Secrets = { ["istio-system/cacerts"] = CraftedMesh.Secret("cacerts", files) } };
        if (publishes) api.ConfigMaps["istio-system/istio-ca-root-cert"] = CraftedMesh.Roots("istio-system", files["root-cert.pem"]);
        var claims = Convert.ToBase64String(Encoding.UTF8.GetBytes("""{"aud":["istio-ca"],"sub":"system:serviceaccount:istio-system:default"}""")).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        api.Posts["serviceaccounts/default/token"] = new JsonObject { ["status"] = new JsonObject { ["token"] = $"eyJ.{claims}.sig" } };
        _apis.Add(api);
        if (runs) await AddRevisionAsync(name, "default", change ?? (b => b));
        return api;
    }

    public async Task AddRevisionAsync(string cluster, string revision, Func<Behaviour, Behaviour> change, string? podName = null)
    {
        var api = _apis.Single(a => a.Cluster.Value == cluster);
        var files = api.Secrets["istio-system/cacerts"].Data.ToDictionary(d => d.Key, d => Encoding.UTF8.GetString(d.Value));
        var service = await CertificateService.StartAsync(change(new Behaviour { Ca = () => new CertificateAuthority(files) }), IPAddress.Loopback, 0);
        _services.Add(service);
        var pod = podName ?? (revision == "default" ? $"istiod-{cluster}" : $"istiod-{revision}-{cluster}");
        api.Objects[new("v1", "pods", "istio-system", pod)] = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = pod, ["labels"] = new JsonObject { ["app"] = "istiod", ["istio.io/rev"] = revision } },
            ["spec"] = JsonNode.Parse("""{"containers":[{"name":"discovery","image":"docker.io/istio/pilot:1.29.2-distroless","env":[{"name":"ISTIO_MULTIROOT_MESH","value":"false"}]}]}"""),
            ["status"] = new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }) },
        };
        var others = api.Forward;
        api.Forward = async (name, ct) =>
        {
            if (name != pod) return await others!(name, ct);
            var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, service.Port, ct);
            return client.GetStream();
        };
    }

    public IReadOnlyList<ClusterAccess> Access => [.. _apis.Select(a => new ClusterAccess { Name = a.Cluster, KubeconfigPath = "unused", ContextName = a.Cluster.Value })];

    public MeshTopology Topology => new()
    {
        Clusters = [.. _apis.Select(a => new ClusterSpec { Name = a.Cluster, Primary = Primaries.TryGetValue(a.Cluster.Value, out var p) ? ClusterName.Parse(p) : null })],
    };

    public IClusterApi Connect(ClusterAccess access) => _apis.Single(api => api.Cluster == access.Name);

    public async Task<TrustReport> VerifyAsync(TimeSpan wait = default, Action<string>? reported = null)
    {
        var snapshot = await new TrustSnapshotReader(TimeProvider.System, 8).ReadAsync(Topology, Access, Connect, null, default);
        using var istiods = await new LiveReader(TimeProvider.System, 8) { Patience = Patience, ReadsProxies = true }.ReadAsync(snapshot, Access, Connect, wait, reported ?? (_ => { }), default);
        return TrustInspection.Inspect(snapshot with { Istiods = istiods });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services) await service.DisposeAsync();
    }
}
