using MeshTrust.IO;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Live;
using MeshTrust.Verification;
using NSubstitute;
using global::Cake.Frosting.MeshTrust.Kind;
using global::Cake.Frosting.MeshTrust.Tools;

namespace MeshTrust.Tests.Cake.Kind;

[TestFixture]
internal sealed class PeerProbeTests
{
    private const string Pods = """
        [
          {"metadata": {"name": "kube-proxy"}, "spec": {"hostNetwork": true, "containers": [{"name": "p", "readinessProbe": {"httpGet": {"port": 1}}}]},
           "status": {"podIPs": [{"ip": "172.18.0.2"}], "conditions": [{"type": "Ready", "status": "True"}]}},
          {"metadata": {"name": "starting"}, "spec": {"containers": [{"name": "c", "readinessProbe": {"httpGet": {"port": 2}}}]},
           "status": {"podIPs": [{"ip": "10.10.0.2"}], "conditions": [{"type": "Ready", "status": "False"}]}},
          {"metadata": {"name": "silent"}, "spec": {"containers": [{"name": "c"}]},
           "status": {"podIPs": [{"ip": "10.10.0.3"}], "conditions": [{"type": "Ready", "status": "True"}]}},
          {"metadata": {"name": "by-name"}, "spec": {"containers": [{"name": "c", "readinessProbe": {"httpGet": {"port": "http"}}}]},
           "status": {"podIPs": [{"ip": "10.10.0.5"}], "conditions": [{"type": "Ready", "status": "True"}]}},
          {"metadata": {"name": "coredns"}, "spec": {"containers": [{"name": "c", "livenessProbe": {"exec": {}}, "readinessProbe": {"httpGet": {"port": 8181}}}]},
           "status": {"podIPs": [{"ip": "10.10.0.4"}, {"ip": "fd00:10::4"}], "conditions": [{"type": "Ready", "status": "True"}]}}
        ]
        """;

    private readonly ScratchDirectory _scratch = new();
    private Dictionary<string, MemoryClusterApi> _apis = [];
    private readonly List<(string Node, string Command, string? Input)> _calls = [];

    [SetUp]
    public void Begin()
    {
        _calls.Clear();
        _apis = new() { ["east"] = Api("east", "10.255.10.1"), ["west"] = Api("west", "10.255.20.1") };
    }

    [OneTimeTearDown]
    public void RemoveFiles() => _scratch.Dispose();

    [Test]
    public async Task Calls_each_cluster_from_the_other_by_name_with_its_CA_and_over_the_routes()
    {
        var readings = await Probe(_ => new ProcessResult(0, "", "")).ReadAsync(Mesh(), Access, Engine("east", "west"), default);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(readings.Select(r => $"{r.From} {r.To} {r.Path} {r.Target}"), Is.EquivalentTo(new[]
            {
                "west east ApiServer https://east-control-plane:6443", "west east Service https://10.255.10.1", "west east Pod 10.10.0.4:8181", "west east Pod [fd00:10::4]:8181",
                "east west ApiServer https://west-control-plane:6443", "east west Service https://10.255.20.1", "east west Pod 10.10.0.4:8181", "east west Pod [fd00:10::4]:8181",
            }));
            Assert.That(readings.Select(r => r.Fault), Is.All.Null);
            Assert.That(_calls.Where(c => c.Command.Contains("curl", StringComparison.Ordinal)).Select(c => (c.Node, c.Input)).Distinct(), Is.EquivalentTo(new[] { ("west-control-plane", Authority("east")), ("east-control-plane", Authority("west")) }));
            Assert.That(_calls.Select(c => c.Command), Has.None.Contains("CERTIFICATE"), "what is read from standard input is in no argument");
        }
    }

    [Test]
    public async Task Calls_a_pod_on_each_node()
    {
        foreach (var (node, address) in new[] { ("control-plane", "10.20.0.4"), ("control-plane", "10.20.0.5"), ("worker", "10.20.1.2") })
        {
            _apis["west"].Objects[new ObjectReference("v1", "pods", "apps", address)] = JsonNode.Parse($$$"""
                {"spec": {"nodeName": "{{{node}}}", "containers": [{"readinessProbe": {"tcpSocket": {"port": 80} } }] }, "status": {"podIPs": [{"ip": "{{{address}}}"}], "conditions": [{"type": "Ready", "status": "True"}]}}
                """)!.AsObject();
        }

        var readings = await Probe(_ => new ProcessResult(0, "", "")).ReadAsync(Mesh(), Access, Engine("east", "west"), default);

        Assert.That(readings.Where(r => r is { Path: PeerPath.Pod, To.Value: "west" }).Select(r => r.Target), Is.SupersetOf(new[] { "10.20.0.4:80", "10.20.1.2:80" }).And.None.EqualTo("10.20.0.5:80"));
    }

    [Test]
    public async Task Calls_only_the_API_server_between_clusters_of_different_networks()
    {
        var readings = await Probe(_ => new ProcessResult(0, "", "")).ReadAsync(Mesh("network1", "network2"), Access, Engine("east", "west"), default);

        Assert.That(readings.Select(r => r.Path), Is.EqualTo(new[] { PeerPath.ApiServer, PeerPath.ApiServer }));
    }

    [Test]
    public async Task Calls_the_servers_of_remote_secrets_with_their_CA_if_these_are_plausible()
    {
        var right = new RemoteSecret { Name = "a", Key = "west", To = ClusterName.Parse("west"), Server = new Uri("https://172.18.0.3:6443/"), Authority = "CA of the secret" };
        RemoteSecret[] others =
        [
            right with { Server = new Uri("https://127.0.0.1:6443") }, right with { Authority = null }, right with { To = null }, right with { To = ClusterName.Parse("east") },
            right with { TlsServerName = "west" }, right with { Answer = new(RemoteVerdict.Untrusted, "is not signed") },
        ];
        var probe = Probe(call => call.Command.Contains("172.18.0.3", StringComparison.Ordinal) ? new ProcessResult(7, "", "curl: (7) refused") : new ProcessResult(0, "", ""), TimeSpan.Zero, [right, .. others]);
        var readings = await probe.ReadAsync(Mesh("n1", "n2"), Access, Engine("east", "west"), default);

        var reading = readings.Single(r => r.Path == PeerPath.RemoteSecret);
        Assert.That((reading.From.Value, reading.To.Value, reading.Node, reading.Target, reading.Fault), Is.EqualTo(("east", "west", "east-control-plane", "https://172.18.0.3:6443", "curl: (7) refused")));
        Assert.That(_calls.Single(c => c.Command.EndsWith(" https://172.18.0.3:6443/version", StringComparison.Ordinal)).Input, Is.EqualTo("CA of the secret"));
    }

    [Test]
    public async Task Reports_the_output_of_a_call_without_a_response()
    {
        var readings = await Probe(call => call.Node == "east-control-plane" ? new ProcessResult(6, "", "curl: (6) Could not resolve host: west-control-plane\n") : new ProcessResult(0, "", ""), TimeSpan.Zero)
            .ReadAsync(Mesh("n1", "n2"), Access, Engine("east", "west"), default);

        Assert.That(readings.Select(r => ($"{r.From}", r.Fault)), Is.EquivalentTo(new[] { ("west", null), ("east", "curl: (6) Could not resolve host: west-control-plane") }));
    }

    [Test]
    public async Task Calls_again_while_a_new_cluster_settles()
    {
        var tries = 0;
        var readings = await Probe(call => call.Node == "east-control-plane" && ++tries == 1 ? new ProcessResult(28, "", "curl: (28) Connection timed out") : new ProcessResult(0, "", ""))
            .ReadAsync(Mesh("n1", "n2"), Access, Engine("east", "west"), default);

        Assert.That(readings.Select(r => r.Fault), Is.All.Null);
        Assert.That(tries, Is.EqualTo(2));
    }

    [Test]
    public async Task Reports_a_cluster_without_a_running_control_plane()
    {
        var snapshot = Engine("east", "west");
        snapshot = snapshot with { Containers = [snapshot.Containers[0], snapshot.Containers[1] with { IsRunning = false }] };

        var readings = await Probe(_ => new ProcessResult(0, "", ""), TimeSpan.Zero).ReadAsync(Mesh("n1", "n2"), Access, snapshot, default);

        Assert.That(readings.Single(r => r.To.Value == "west").Fault, Is.EqualTo("'west' has no running control plane"));
    }

    [Test]
    public async Task Reports_a_cluster_that_does_not_show_what_to_call()
    {
        _apis["west"].Faults["list pods"] = new Problem("MT3015", "west", "The API server does not answer.", "Wait.");

        var readings = await Probe(_ => new ProcessResult(0, "", "")).ReadAsync(Mesh(), Access, Engine("east", "west"), default);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(readings.Where(r => r.To.Value == "west").Select(r => r.Fault), Is.All.EqualTo("the Services and pods of 'west' cannot be read: The API server does not answer").And.Not.Empty);
            Assert.That(readings.Where(r => r.To.Value == "east").Select(r => r.Fault), Is.All.Null.And.Not.Empty);
        }
    }

    [Test]
    public async Task Makes_no_call_in_a_mesh_of_one_cluster() =>
        Assert.That(await Probe(_ => new ProcessResult(0, "", "")).ReadAsync(new MeshTopology { Clusters = [new ClusterSpec { Name = ClusterName.Parse("east") }] }, Access, Engine("east"), default), Is.Empty);

    private IReadOnlyList<ClusterAccess> Access =>
    [
        .. from cluster in (string[])["east", "west"]
           let kubeconfig = $$$"""
               apiVersion: v1
               kind: Config
               clusters: [{name: c, cluster: {server: "https://127.0.0.1:41000", certificate-authority-data: {{{Convert.ToBase64String(Encoding.UTF8.GetBytes(Authority(cluster)))}}} }}]
               contexts: [{name: c, context: {cluster: c, user: u}}]
               users: [{name: u, user: {token: never-told}}]
               """
           select new ClusterAccess { Name = ClusterName.Parse(cluster), KubeconfigPath = _scratch.Write(cluster, kubeconfig), ContextName = "c" },
    ];

    private static string Authority(string cluster) => $"-----BEGIN CERTIFICATE-----\n{Convert.ToBase64String(Encoding.UTF8.GetBytes(cluster))}\n-----END CERTIFICATE-----\n";

    private static MemoryClusterApi Api(string cluster, string service)
    {
        var api = new MemoryClusterApi(cluster);
        api.Objects[new ObjectReference("v1", "services", "default", "kubernetes")] = new JsonObject { ["spec"] = new JsonObject { ["clusterIP"] = service, ["clusterIPs"] = new JsonArray(service) } };
        foreach (var pod in JsonNode.Parse(Pods)!.AsArray())
            api.Objects[new ObjectReference("v1", "pods", "kube-system", (string)pod!["metadata"]!["name"]!)] = pod.AsObject();
        return api;
    }

    private PeerProbe Probe(Func<(string Node, string Command), ProcessResult> answer, TimeSpan? settling = null, IReadOnlyList<RemoteSecret>? secrets = null)
    {
        var engine = Substitute.For<IContainerEngine>();
        engine.ExecuteAsync(default!, default!, default, default).ReturnsForAnyArgs(call =>
        {
            var (node, command) = ((string)call[0], string.Join(' ', call.Arg<IReadOnlyList<string>>()));
            lock (_calls) _calls.Add((node, command, (string?)call[2]));
            return answer((node, command));
        });
        return new PeerProbe(engine, access => _apis[access.Name.Value], TimeProvider.System) 
        {
            Settling = settling ?? TimeSpan.FromSeconds(30),
            Remotes = secrets is null ? [] : [new RemoteAccess { Cluster = ClusterName.Parse("east"), Secrets = secrets }],
        };
    }

    private static MeshTopology Mesh(string? east = null, string? west = null) => new()
    {
        Clusters = [new ClusterSpec { Name = ClusterName.Parse("east"), Network = east }, new ClusterSpec { Name = ClusterName.Parse("west"), Network = west }],
    };

    private static EngineSnapshot Engine(params string[] clusters) => new()
    {
        Info = new EngineInfo { Engine = ContainerEngineChoice.Docker, Version = "28.2.2", Architecture = "amd64" },
        Networks = [],
        Containers =
        [
            .. clusters.Select((cluster, i) => new EngineContainer
            {
                Id = cluster,
                Name = $"{cluster}-control-plane",
                IsRunning = true,
                Labels = new Dictionary<string, string> { ["io.x-k8s.kind.cluster"] = cluster, ["io.x-k8s.kind.role"] = "control-plane" },
                Addresses = new Dictionary<string, IReadOnlyList<IPAddress>> { ["kind"] = [IPAddress.Parse($"172.18.0.{i + 2}")] },
            }),
        ],
    };
}
