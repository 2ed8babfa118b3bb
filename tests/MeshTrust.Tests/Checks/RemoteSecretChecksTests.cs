using System.Text.Json.Nodes;
using MeshTrust.Checks;
using MeshTrust.Settings;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Verification;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Checks;

/// <summary>East and west each read the other; each case breaks one thing in east's remote secret for west.</summary>
[TestFixture]
internal sealed class RemoteSecretChecksTests
{
    private static readonly ClusterName East = ClusterName.Parse("east");
    private static readonly ClusterName West = ClusterName.Parse("west");

    private static readonly RemoteSecret Right = new()
    {
        Name = "istio-remote-secret-west", Key = "west", IsOurs = true, To = West, Server = new Uri("https://10.0.0.2:6443"), Authority = "PEM",
        Expires = CraftedMesh.Now.AddDays(300), Answer = new(RemoteVerdict.Accepted),
    };

    private static readonly EastWestGateway Gateway = new("istio-system/istio-eastwestgateway", "network2", HasPort: true, HasAddress: true);

    public static IEnumerable<TestCaseData> Wrongs()
    {
        TestCaseData Case(string name, string id, Severity severity, string message, string hint, params RemoteSecret[] secrets) =>
            new TestCaseData(id, severity, message, hint, Mesh(secrets)).SetArgDisplayNames(name);

        yield return Case("missing", "MT5303", Severity.Warning, "no remote secret for 'west'", "--target=RemoteSecrets");
        yield return Case("label", "MT5304", Severity.Error, "does not have the label", "label --overwrite secret istio-remote-secret-west istio/multiCluster=true", Right with { IsLabelled = false });
        yield return Case("key", "MT5305", Severity.Error, "the CLUSTER_ID of 'west' is west", "delete secret istio-remote-secret-west", Right with { Key = "c0ffee" });
        yield return Case("own", "MT5305", Severity.Warning, "leads to its own cluster", "delete secret own", Right, Right with { Name = "own", Key = "east", To = East });
        yield return Case("refused", "MT5306", Severity.Error, "exec runs a command", "delete secret istio-remote-secret-west", Right with { Refusal = "exec runs a command, which is not allowed", Answer = new(RemoteVerdict.NotAsked) });
        yield return Case("loopback", "MT5307", Severity.Error, "is https://127.0.0.1:6443, which in istiod's pod", "--api-server=west=https://HOST:PORT", Right with { Server = new Uri("https://127.0.0.1:6443") });
        yield return Case("unspecified", "MT5307", Severity.Error, "is https://0.0.0.0:6443", "--api-server=west=https://HOST:PORT", Right with { Server = new Uri("https://0.0.0.0:6443") });
        yield return Case("CA", "MT5308", Severity.Error, "is not signed by", "delete secret", Right with { Answer = new(RemoteVerdict.Untrusted, "is not signed by the CA in the secret", IsDirect: true) });
        yield return Case("CA elsewhere", "MT5308", Severity.Warning, "This machine does not reach https://10.0.0.2:6443", "delete secret", Right with { Answer = new(RemoteVerdict.Untrusted, "does not name 10.0.0.2") });
        yield return Case("rejected", "MT5309", Severity.Error, "it was revoked", "Run --target=RemoteSecrets.", Right with { Answer = new(RemoteVerdict.Rejected) });
        yield return Case("rejected, another's", "MT5309", Severity.Error, "rejects the token", "delete secret", Right with { IsOurs = false, Answer = new(RemoteVerdict.Rejected) });
        yield return Case("ended", "MT5309", Severity.Error, "ended 2", "Run --target=RemoteSecrets.", Right with { Expires = CraftedMesh.Now.AddDays(-1), Answer = new(RemoteVerdict.NotAsked) });
        yield return Case("ends soon", "MT5309", Severity.Warning, "ends 2", "Run --target=RemoteSecrets.", Right with { Expires = CraftedMesh.Now.AddDays(29) });
        yield return Case("rights", "MT5309", Severity.Error, "may not list pods, secrets", "--reader-service-account", Right with { Answer = new(RemoteVerdict.Accepted) { Lacking = ["pods", "secrets"] } });
        yield return Case("rights, another's", "MT5309", Severity.Error, "may not list pods", "Bind Istio's reader ClusterRole", Right with { IsOurs = false, Answer = new(RemoteVerdict.Accepted) { Lacking = ["pods"] } });
        yield return Case("left over", "MT5310", Severity.Warning, "leads to 'south', which is not in the topology.", "kubectl --context east -n istio-system delete secret old", Right, Right with { Name = "old", Key = "south", To = null, IsOurs = false });
        yield return Case("left over, ours", "MT5310", Severity.Warning, "MeshTrust created it", "delete secret old", Right, Right with { Name = "old", Key = "south", To = null });

        TestCaseData Id(string name, string message, string hint, string[] ids) =>
            new TestCaseData("MT5305", Severity.Error, message, hint, With(Mesh([Right]), West, a => a with { Ids = ids })).SetArgDisplayNames(name);
        yield return Id("CLUSTER_ID", "the CLUSTER_ID of 'west' is Kubernetes", "global.multiCluster.clusterName=west", ["Kubernetes"]);
        yield return Id("two CLUSTER_IDs", "is west and other", "global.multiCluster.clusterName=west", ["west", "other"]);

        TestCaseData Network(string name, string message, string hint, params EastWestGateway[] services) =>
            new TestCaseData("MT5311", Severity.Error, message, hint, Networks(services)).SetArgDisplayNames(name);
        yield return Network("no gateway", "'network2' has no east-west gateway", "--target=InstallValues");
        yield return Network("no label", "does not have the label topology.istio.io/network=network2", "-n istio-system label --overwrite service istio-eastwestgateway topology.istio.io/network=network2", Gateway with { Network = null });
        yield return Network("other label", "does not have the label", "label --overwrite service", Gateway with { Network = "network1" });
        yield return Network("no port", "does not have the port 15443", "InstallValues", Gateway with { HasPort = false });
        yield return Network("no address", "has no external address yet", "-n istio-system get service istio-eastwestgateway --watch", Gateway with { HasAddress = false });

        var call = new PeerReading { From = East, To = West, Path = PeerPath.RemoteSecret, Node = "east-control-plane", Target = "https://10.0.0.2:6443", Fault = "curl: (7) no route" };
        yield return new TestCaseData("MT5307", Severity.Error, "Node east-control-plane cannot reach https://10.0.0.2:6443", "--target=Repair", Mesh([Right]) with { Peers = [call] }).SetArgDisplayNames("node");
    }

    [TestCaseSource(nameof(Wrongs))]
    public void Each_defect_has_one_finding_and_a_fix(string id, Severity severity, string message, string hint, TrustSnapshot mesh)
    {
        var findings = TrustInspection.Inspect(mesh).Findings.Where(f => f.Id.StartsWith("MT53", StringComparison.Ordinal)).ToList();
        Assert.That(findings, Has.Count.EqualTo(1), string.Join('\n', findings));
        using (Assert.EnterMultipleScope())
        {
            Assert.That((findings[0].Id, findings[0].Severity), Is.EqualTo((id, severity)));
            Assert.That(findings[0].Message, Does.Contain(message));
            Assert.That(findings[0].Hint, Does.Contain(hint));
        }
    }

    [Test]
    public void A_correct_mesh_passes_all()
    {
        var checks = RemoteSecretChecks.Rows.Select(r => r.Run(Networks([Gateway]))).ToList();
        Assert.That(checks.Select(c => c.Outcome), Is.All.EqualTo(CheckOutcome.Passed));
        Assert.That(checks.SelectMany(c => c.Unchecked), Is.Empty);
    }

    [Test]
    public void A_CLUSTER_ID_set_on_istiod_is_a_valid_key()
    {
        var mesh = With(Mesh([Right with { Key = "w1" }]), West, a => a with { Ids = ["w1"] });
        Assert.That(RemoteSecretChecks.Rows.SelectMany(r => r.Run(mesh).Findings), Is.Empty);
    }

    [Test]
    public void A_remote_needs_no_secrets_and_its_primary_needs_one()
    {
        var mesh = Mesh([Right]);
        var topology = mesh.Topology with { Clusters = [mesh.Topology.Clusters[0], mesh.Topology.Clusters[1] with { Primary = East }] };
        Assert.That(CraftedMesh.Row("MT5303").Run(With(mesh with { Topology = topology }, West, a => a with { Secrets = [] })).Findings, Is.Empty);
    }

    [Test]
    public void What_this_machine_cannot_reach_is_not_checked_and_not_a_finding()
    {
        var mesh = Mesh([Right with { Answer = new(RemoteVerdict.NotAsked) }]);
        foreach (var check in (string[])["MT5308", "MT5309"])
        {
            var report = CraftedMesh.Row(check).Run(mesh);
            Assert.That((report.Outcome, report.Unchecked.Single().Cluster, report.Unchecked.Single().Unread), Is.EqualTo((CheckOutcome.Passed, "east", false)));
            Assert.That(report.Unchecked.Single().Reason, Is.EqualTo("https://10.0.0.2:6443 of 'west' cannot be reached from this machine"));
        }
    }

    [Test]
    public void A_forbidden_list_is_reported_and_a_failed_one_is_an_error()
    {
        var forbidden = With(Mesh([Right]), West, a => a with { Secrets = [], Unread = new(IsForbidden: true, "No.", "Ask.") });
        var failed = With(Mesh([Right]), West, a => a with { Secrets = [], Unread = new(IsForbidden: false, "It timed out.", "Try again.") });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(CraftedMesh.Row("MT5303").Run(forbidden).Outcome, Is.EqualTo(CheckOutcome.Passed));
            Assert.That(CraftedMesh.Row("MT5303").Run(forbidden).Unchecked.Single().Reason, Does.Contain("grant list on secrets in istio-system"));
            Assert.That(CraftedMesh.Row("MT5303").Run(failed).Findings.Single(), Has.Property("CouldNotCheck").True.And.Property("Cluster").EqualTo("west"));
            Assert.That(CraftedMesh.Row("MT5310").Run(failed).Outcome, Is.EqualTo(CheckOutcome.CouldNotCheck));
        }
    }

    [Test]
    public void Gateways_matter_only_between_networks_where_istiod_runs_and_Services_can_be_listed()
    {
        var mesh = Networks([]);
        var notRunning = mesh with { Clusters = CraftedMesh.Sound("east", "west").Snapshot().Clusters };
        using (Assert.EnterMultipleScope())
        {
            Assert.That(CraftedMesh.Row("MT5311").Run(Mesh([Right])).Outcome, Is.EqualTo(CheckOutcome.NotApplicable));
            Assert.That(CraftedMesh.Row("MT5311").Run(notRunning).Outcome, Is.EqualTo(CheckOutcome.NotApplicable));
            var unread = CraftedMesh.Row("MT5311").Run(With(mesh, West, a => a with { Gateways = null }));
            Assert.That((unread.Outcome, unread.Unchecked.Single().Cluster), Is.EqualTo((CheckOutcome.Passed, "west")));
        }
    }

    [Test]
    public async Task Istiods_ids_and_gateways_are_read_once_there_is_a_secret()
    {
        var (east, west) = (new MemoryClusterApi("east"), new MemoryClusterApi("west"));
        west.Objects[new("apps/v1", "deployments", "istio-system", "istiod")] = Json("""{"metadata":{"labels":{"app":"istiod"}},"spec":{"template":{"spec":{"containers":[{"env":[{"name":"CLUSTER_ID","value":"w1"}]}]}}}}""");
        west.Objects[new("v1", "services", "istio-system", "istio-eastwestgateway")] = Json("""{"metadata":{"namespace":"istio-system","name":"istio-eastwestgateway"},"spec":{"ports":[{"port":15443}]},"status":{"loadBalancer":{}}}""");
        east.Objects[new("v1", "secrets", "istio-system", "cacerts")] = Json("""{"metadata":{"name":"cacerts"},"data":{"ca-key.pem":"a2V5"}}""");
        var before = await ReadAsync();
        east.Objects[new("v1", "secrets", "istio-system", "a")] = Json("""{"metadata":{"name":"a","labels":{"istio/multiCluster":"true"}},"data":{"w1":"bm8="}}""");
        var after = await ReadAsync();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(before.Remotes.Select(r => (r.Secrets.Count, r.Gateways)), Is.All.EqualTo((0, (IReadOnlyList<EastWestGateway>?)null)));
            Assert.That(after.Remotes[0].Secrets.Single(), Has.Property("To").EqualTo(West).And.Property("Refusal").Not.Null);
            Assert.That((after.Remotes[0].Ids, after.Remotes[1].Ids), Is.EqualTo((new[] { "east" }, new[] { "w1" })));
            Assert.That(after.Remotes[1].Gateways, Is.EqualTo(new[] { Gateway with { Network = null, HasAddress = false } }));
        }

        Task<TrustSnapshot> ReadAsync() => new TrustSnapshotReader(TimeProvider.System, 1).ReadAsync(
            Networks([]).Topology, [new() { Name = East, KubeconfigPath = "/none", ContextName = "east" }, new() { Name = West, KubeconfigPath = "/none", ContextName = "west" }],
            access => access.Name == East ? east : west, null, default);

        static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();
    }

    private static TrustSnapshot Mesh(RemoteSecret[] secrets) => CraftedMesh.Sound("east", "west").Snapshot() with
    {
        Remotes =
        [
            new() { Cluster = East, Ids = ["east"], Secrets = secrets },
            new() { Cluster = West, Ids = ["west"], Secrets = [Right with { Name = "istio-remote-secret-east", Key = "east", To = East }] },
        ],
    };

    /// <summary>Each cluster in its own network, where istiod runs; east has its gateway.</summary>
    private static TrustSnapshot Networks(EastWestGateway[] services)
    {
        var root = CraftedCertificate.Root();
        var mesh = new CraftedMesh();
        foreach (var name in (string[])["east", "west"])
            mesh.Add(name, CraftedMesh.Files4(root, CraftedMesh.Intermediate(root, name)), p => p with { RootConfigMaps = [CraftedMesh.Roots("istio-system", root.Pem)] });
        (mesh.Networks["east"], mesh.Networks["west"]) = ("network1", "network2");
        var snapshot = mesh.Snapshot() with { Remotes = Mesh([Right]).Remotes };
        return With(With(snapshot, East, a => a with { Gateways = [Gateway with { Network = "network1" }] }), West, a => a with { Gateways = services });
    }

    private static TrustSnapshot With(TrustSnapshot mesh, ClusterName cluster, Func<RemoteAccess, RemoteAccess> change) =>
        mesh with { Remotes = [.. mesh.Remotes.Select(r => r.Cluster == cluster ? change(r) : r)] };
}
