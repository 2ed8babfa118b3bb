using System.Text;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Tests.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Kubernetes;

public sealed class CacertsPushTests
{
    private static readonly string[] Names = ["east", "west", "north"];
    private readonly Dictionary<string, ClusterCacerts> _cacerts = [];
    private ClusterCacerts _foreign = null!;

    [OneTimeSetUp]
    public async Task Issue()
    {
        using var store = new StoreFixture();
        await store.RootAsync();
        foreach (var outcome in await store.ClustersAsync(Names)) _cacerts[outcome.Material.Cluster.Value] = outcome.Material;
        using var another = new StoreFixture();
        _foreign = await another.OneClusterAsync();
    }

    private static readonly MeshTopology Mesh = new()
    {
        Clusters =
        [
            new ClusterSpec { Name = ClusterName.Parse("east"), Network = "net1" },
            new ClusterSpec { Name = ClusterName.Parse("west"), Network = "net2", Primary = ClusterName.Parse("east") },
            new ClusterSpec { Name = ClusterName.Parse("north"), Primary = ClusterName.Parse("north") },
        ],
    };

    private static Dictionary<string, MemoryClusterApi> Clusters() => Names.ToDictionary(n => n, n => new MemoryClusterApi(n));

    private Task<PushReport> PushAsync(Dictionary<string, MemoryClusterApi> clusters, CacertsPushSettings? settings = null) => CacertsPush.RunAsync(
        Mesh,
        [.. clusters.Keys.Select(n => new ClusterAccess { Name = ClusterName.Parse(n), KubeconfigPath = "/none", ContextName = n })],
        access => clusters[access.Name.Value],
        name => _cacerts[name.Value],
        settings ?? new CacertsPushSettings(),
        CancellationToken.None);

    [Test]
    public async Task Writes_each_clusters_own_secret_and_namespace()
    {
        var clusters = Clusters();
        var report = await PushAsync(clusters);
        report.EnsureSucceeded();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Outcomes.Select(o => (o.Cluster.Value, o.Namespace, o.Secret, o.Succeeded)), Is.EqualTo(Names.Select(n => (n, (ApplyOutcome?)ApplyOutcome.Created, (ApplyOutcome?)ApplyOutcome.Created, true))));
            Assert.That(clusters["east"].Namespaces["istio-system"].Labels, Is.EqualTo(new Dictionary<string, string> { ["topology.istio.io/network"] = "net1" }));
            Assert.That(clusters["east"].Namespaces["istio-system"].Annotations, Is.Empty);
            Assert.That(clusters["west"].Namespaces["istio-system"].Annotations, Is.EqualTo(new Dictionary<string, string> { ["topology.istio.io/controlPlaneClusters"] = "east" }));
            Assert.That(clusters["north"].Namespaces["istio-system"].Annotations, Is.Empty);
            foreach (var name in Names)
                Assert.That(clusters[name].Secrets["istio-system/cacerts"].Data["ca-key.pem"], Is.EqualTo(_cacerts[name].ToFiles()["ca-key.pem"].ToArray()));
        }
    }

    [Test]
    public async Task Reports_that_nothing_changed()
    {
        var clusters = Clusters();
        await PushAsync(clusters);
        var again = await PushAsync(clusters);
        Assert.That(again.Outcomes.Select(o => (o.Namespace, o.Secret)), Has.All.EqualTo(((ApplyOutcome?)ApplyOutcome.Unchanged, (ApplyOutcome?)ApplyOutcome.Unchanged)));
        Assert.That(clusters["east"].Writes.Count(w => w.StartsWith("namespace", StringComparison.Ordinal)), Is.EqualTo(1), "a namespace that is right is not written");
    }

    [Test]
    public async Task Writes_nothing_into_a_cluster_without_a_root_while_another_root_is_live_in_the_mesh()
    {
        var clusters = Clusters();
        clusters["east"].Secrets["istio-system/cacerts"] = CacertsSecret.For(_foreign, "istio-system");
        clusters["west"].Secrets["istio-system/cacerts"] = CacertsSecret.For(_cacerts["west"], "istio-system");
        var report = await PushAsync(clusters);
        Assert.That(report.Outcomes.Select(o => o.Problems.Select(p => p.Id).SingleOrDefault()), Is.EqualTo(new[] { "MT5201", null, "MT5228" }));
        Assert.That(clusters.Values.Last().Writes, Is.Empty);
        Assert.That((await PushAsync(clusters, new CacertsPushSettings { AcceptOutage = true })).Outcomes.Select(o => o.Succeeded), Has.All.True);
    }

    [Test]
    public async Task Tries_every_cluster_and_reports_all_failures_together()
    {
        var clusters = Clusters();
        clusters["east"].Secrets["istio-system/cacerts"] = CacertsSecret.For(_cacerts["east"], "istio-system") with { Data = new Dictionary<string, byte[]> { ["tls.crt"] = [1] } };
        clusters["west"].Faults["apply secret"] = new Problem("MT3007", "west", "w", "r");
        var report = await PushAsync(clusters);
        var fault = Assert.Throws<MeshTrustException>(report.EnsureSucceeded)!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(fault.Stage, Is.EqualTo(Stage.Push));
            Assert.That(fault.Problems.Select(p => (p.Id, p.Location)), Is.EqualTo(new[] { ("MT5203", "east"), ("MT3007", "west") }));
            Assert.That(report.Outcomes.Select(o => o.Succeeded), Is.EqualTo(new[] { false, false, true }));
            Assert.That(report.Outcomes[0].Secret, Is.Null);
            Assert.That(clusters["east"].Writes, Is.Empty, "a guarded cluster is not touched");
            Assert.That(report.Outcomes[1].Namespace, Is.EqualTo(ApplyOutcome.Created));
            Assert.That(report.Outcomes[1].Secret, Is.Null);
        }
    }

    [Test]
    public async Task Counts_the_namespaces_that_an_outage_would_reach()
    {
        var clusters = Clusters();
        clusters["east"].Secrets["istio-system/cacerts"] = CacertsSecret.For(_foreign, "istio-system");
        foreach (var ns in new[] { "a", "b" })
            clusters["east"].ConfigMaps[$"{ns}/istio-ca-root-cert"] = new ConfigMapDocument { Namespace = ns, Name = "istio-ca-root-cert", Data = new Dictionary<string, string>() };
        Assert.That((await PushAsync(clusters)).Outcomes[0].Problems.Single().Message, Does.Contain("in 2 namespaces"));
        clusters["east"].Faults["list configmaps"] = new Problem("MT3007", "east", "w", "r");
        Assert.That((await PushAsync(clusters)).Outcomes[0].Problems.Single().Message, Does.Not.Contain("namespaces"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Restores_the_secret_unless_a_namespace_holds_the_foreign_root(bool heldInOne)
    {
        var clusters = Clusters();
        clusters["east"].Secrets["istio-system/cacerts"] = CacertsSecret.For(_foreign, "istio-system");
        foreach (var (ns, cacerts) in new[] { ("istio-system", _cacerts["east"]), ("default", _cacerts["east"]), ("app", heldInOne ? _foreign : _cacerts["east"]) })
            clusters["east"].ConfigMaps[$"{ns}/istio-ca-root-cert"] = new ConfigMapDocument { Namespace = ns, Name = "istio-ca-root-cert", Data = new Dictionary<string, string> { ["root-cert.pem"] = Encoding.ASCII.GetString(cacerts.RootCert.Span) } };
        var east = (await PushAsync(clusters)).Outcomes[0];
        Assert.That(east.Problems.Select(p => p.Id), Is.EqualTo(heldInOne ? ["MT5201"] : Array.Empty<string>()));
        Assert.That(east.Warnings.Select(p => p.Id), Is.EqualTo(heldInOne ? [] : new[] { "MT5221" }));
        Assert.That(clusters["east"].Secrets["istio-system/cacerts"].Data["ca-key.pem"], Is.EqualTo((heldInOne ? _foreign : _cacerts["east"]).ToFiles()["ca-key.pem"].ToArray()));
    }

    [Test]
    public async Task Writes_nothing_into_a_terminating_namespace()
    {
        var clusters = Clusters();
        clusters["east"].Namespaces["istio-system"] = new NamespaceDocument { Name = "istio-system", Uid = "u", Labels = new Dictionary<string, string>(), Terminating = true };
        Assert.That((await PushAsync(clusters)).Outcomes[0].Problems.Single().Id, Is.EqualTo("MT5208"));
        Assert.That(clusters["east"].Writes, Is.Empty);
    }

    [Test]
    public async Task Removes_the_istio_generated_key_before_it_reports_success()
    {
        var clusters = Clusters();
        var live = new Dictionary<string, byte[]>(CacertsSecret.For(_cacerts["east"], "istio-system").Data) { [CacertsSecret.GeneratedMark] = [] };
        clusters["east"].Secrets["istio-system/cacerts"] = CacertsSecret.For(_cacerts["east"], "istio-system") with { Data = live };
        var report = await PushAsync(clusters, new CacertsPushSettings { Force = true });
        Assert.That(report.Outcomes[0].Secret, Is.EqualTo(ApplyOutcome.Changed));
        Assert.That(clusters["east"].Writes[1..], Is.EqualTo(new[]
        {
            "secret cacerts force=True keys=ca-cert.pem,ca-key.pem,cert-chain.pem,root-cert.pem",
            """merge secrets istio-system/cacerts {"data":{"istio-generated":null},"metadata":{"annotations":{}}}""",
        }));
        clusters["east"].Secrets["istio-system/cacerts"] = clusters["east"].Secrets["istio-system/cacerts"] with { Data = live };
        clusters["east"].Faults["merge secrets istio-system/cacerts"] = new Problem("MT3007", "east", "w", "r");
        Assert.That((await PushAsync(clusters, new CacertsPushSettings { Force = true })).Outcomes[0].Succeeded, Is.False, "it does not succeed while the key is still there");
    }

    [Test]
    public async Task Says_which_cluster_has_no_context()
    {
        var clusters = Clusters();
        clusters.Remove("north");
        Assert.That((await PushAsync(clusters)).Outcomes[2].Problems.Single().Id, Is.EqualTo("MT5220"));
    }
}
