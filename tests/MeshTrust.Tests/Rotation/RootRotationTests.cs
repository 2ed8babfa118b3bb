using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.Pki;
using MeshTrust.Rotation;
using MeshTrust.Settings;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Pki;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Rotation;

/// <summary>A change of root, phase by phase: what each cluster holds after each phase, which gates close, and the rollback.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed partial class RootRotationTests : IDisposable
{
    private static readonly string[] Clusters = ["east", "west", "north"];
    private readonly StoreFixture _fixture = new();
    private readonly RunningMesh _mesh = new() { Patience = TimeSpan.FromSeconds(10) };
    private readonly Dictionary<string, MemoryClusterApi> _apis = [];
    private readonly List<string> _told = [];

    /// <summary>The CA of an istiod that has not read cacerts yet.</summary>
    private readonly Dictionary<MemoryClusterApi, Dictionary<string, string>> _selfSigned = [];
    private TimeSpan _soak = TimeSpan.FromDays(1);
    private bool _crossSigned;

    public void Dispose() => _fixture.Dispose();

    [TearDown]
    public async Task StopAsync() => await _mesh.DisposeAsync();

    [Test]
    public async Task Goes_from_the_old_root_to_the_new_one_in_three_phases()
    {
        await BeginAsync();
        var old = _fixture.Store.ReadRoot().Certificate.Sha256;
        var before = Held();

        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.TrustBoth));
        var coming = Rotation().Next.ReadRoot().Certificate.Sha256;
        Assert.That(Held().Select(h => h.Ca), Is.EqualTo(before.Select(b => b.Ca)), "no certificate changes");
        Assert.That(Held().Select(h => h.Roots), Is.All.EqualTo($"{old} {coming}"));
        Assert.That(Data().All(d => Encoding.UTF8.GetString(d["root-cert.pem"]).StartsWith(_fixture.Store.ReadRoot().Certificate.ToPem(), StringComparison.Ordinal)), "appended: the old bytes come first");

        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.SwitchIssuer));
        Assert.That(Held().Select(h => h.Ca).Intersect(before.Select(b => b.Ca)), Is.Empty);
        Assert.That(Held().Select(h => (h.Roots, h.ChainEnd)), Is.All.EqualTo(($"{old} {coming}", coming)));

        Assert.That(await AdvanceAsync(), Is.Null);
        Assert.That(Held().Select(h => (h.Roots, h.ChainEnd)), Is.All.EqualTo((coming, coming)));
        using (Assert.EnterMultipleScope())
        {
            Assert.That((_fixture.Store.ReadRoot().Certificate.Sha256, _fixture.Store.ReadRoot().Key is not null), Is.EqualTo((coming, true)));
            Assert.That(new TrustStore($"{_fixture.Store.Location}-retired-{old[..16]}").ReadRoot().Key, Is.Not.Null, "no key is lost");
            Assert.That((Directory.Exists(Rotation().Next.Location), RootRotationPlan.File.Read(_fixture.Store)), Is.EqualTo((false, (RootRotationPlan?)null)));
            Assert.That((await _fixture.ClustersAsync(Clusters)).Select(o => o.Kind), Is.All.EqualTo(IssueKind.Kept), "a usual run then changes nothing");
        }
    }

    [Test]
    public async Task Both_roots_keys_may_be_encrypted([Values] bool crossSigned)
    {
        var file = Path.Combine(_fixture.Temporary, "passphrase");
        await File.WriteAllTextAsync(file, "secret");
        _fixture.Trust = _fixture.Trust with { RootPassphrase = new(file) };
        await BeginAsync(crossSigned: crossSigned);
        _soak = TimeSpan.Zero;
        while (await AdvanceAsync() is not null) Assert.That(File.ReadAllText(Rotation().Next.RootKeyPath), Does.StartWith("-----BEGIN ENCRYPTED"));
        Assert.That((File.ReadAllText(_fixture.Store.RootKeyPath)[..20], Held().Select(h => h.ChainEnd).Distinct().Single()), Is.EqualTo(("-----BEGIN ENCRYPTED", _fixture.Store.ReadRoot().Certificate.Sha256)));
    }

    [Test]
    public async Task With_CRLs_every_cluster_has_one_of_every_CA_in_every_phase([Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        await CrlIssuer.RenewAsync(_fixture.Store, Topology, TimeProvider.System, default);
        var chains = Clusters.Select(c => _fixture.Store.ReadCacerts(ClusterName.Parse(c)).Chain).ToList();
        for (var phase = RootPhase.TrustBoth; phase <= RootPhase.DropOld; phase++)
        {
            await AdvanceAsync();
            chains.AddRange(Clusters.Select(c => _fixture.Store.ReadCacerts(ClusterName.Parse(c)).Chain));
            foreach (var data in Data()) Assert.That(chains.Select(c => RevocationLists.Parse("", data["ca-crl.pem"]).Fault(c, DateTimeOffset.UtcNow)), Is.All.Null);
        }
    }

    [Test]
    public async Task Running_istiods_issue_certificates_that_every_cluster_trusts_in_every_phase([Values] bool crossSigned)
    {
        await BeginAsync(istiods: true, crossSigned);
        for (var phase = RootPhase.TrustBoth; phase <= RootPhase.DropOld; phase++)
        {
            _told.Clear();
            _soak = TimeSpan.Zero;
            await AdvanceAsync();
            Assert.That(_told.Last(t => t.Contains("proven", StringComparison.Ordinal)), Is.EqualTo("the mesh: every pair of clusters proven, 9 of 9 with certificates that istiod issued"));
            if (phase == RootPhase.DropOld) break;
            _soak = TimeSpan.FromDays(1);
            Assert.That(await FaultAsync(), Is.EqualTo("MT5511"), "the next phase waits for the proxies");
        }
    }

    /// <summary>That the time is over, or the user says that all workloads restarted, does not override what they hold.</summary>
    [Test]
    public async Task A_proxy_that_is_not_ready_closes_the_gate_to_the_next_phase()
    {
        await BeginAsync(istiods: true);
        _soak = TimeSpan.Zero;
        await AdvanceAsync();
        var (old, coming) = (_fixture.Store.ReadRoot().Certificate.ToPem(), Rotation().Next.ReadRoot().Certificate.ToPem());
        FakeEnvoy Proxy(string roots) => new FakeEnvoy { Pod = "web-1", Roots = roots }.In(_apis["west"]);

        Proxy(old);
        Assert.That(await FaultAsync(), Is.EqualTo("MT5511"), "it does not trust the new root");
        Assert.That(RootRotationPlan.File.Read(_fixture.Store)!.Phase, Is.EqualTo(RootPhase.TrustBoth));
        Proxy(old + coming);
        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.SwitchIssuer));
        Assert.That(await FaultAsync(), Is.EqualTo("MT5511"), "its certificate is not under the new root");
        _apis["west"].Faults["forward web-1"] = new Problem("MT3007", "west", "You may not.", "Ask.");
        Assert.That(await AdvanceAsync(), Is.Null, "what cannot be read does not count");
    }

    [Test]
    public async Task An_istiod_that_does_not_load_a_second_root_closes_the_gate_until_it_is_restarted()
    {
        await BeginAsync(istiods: true);
        foreach (var api in _apis.Values) api.Applied = null;
        Assert.That(await FaultAsync(), Is.EqualTo("MT5512"));
        foreach (var api in _apis.Values) Publish(api);
        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.TrustBoth));
    }

    /// <summary>Each istiod made its own CA; the first cluster may be one with a root of the trust store.</summary>
    [Test]
    public async Task Self_signed_clusters_get_one_root_and_trust_each_other_once_they_have_restarted([Values] bool withPluggedIn)
    {
        await BeginAsync(istiods: true);
        var roots = new Dictionary<string, CraftedCertificate>();
        foreach (var name in Clusters.Skip(withPluggedIn ? 1 : 0)) roots[name] = MakeSelfSigned(_apis[name]);
        if (!withPluggedIn) Directory.Delete(_fixture.Store.Location, recursive: true);
        _soak = TimeSpan.Zero;

        Assert.That(await FaultAsync(), Is.EqualTo("MT5512"), "istiod reads cacerts only when it starts");
        Assert.That(_told, Has.Some.Contains("rollout restart deployment -l app=istiod"));
        foreach (var (name, root) in roots)
        {
            Assert.That(Files(_apis[name])["root-cert.pem"], Does.StartWith(root.Document.ToPem()), "the root of its workloads comes first");
            Assert.That(Files(_apis[name])["ca-cert.pem"], Is.EqualTo(root.Document.ToPem()));
        }

        Restart();
        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.TrustBoth));
        Assert.That(Held().Select(h => h.Roots.Split(' ').Length), Is.All.EqualTo(4), "three old roots and the new one");
        Assert.That(_told[^1], Is.EqualTo("the mesh: every pair of clusters proven, 9 of 9 with certificates that istiod issued"));
        await AdvanceAsync();
        Assert.That(await AdvanceAsync(), Is.Null);

        var coming = _fixture.Store.ReadRoot();
        Assert.That(Held().Select(h => (h.Roots, h.ChainEnd)), Is.All.EqualTo((coming.Certificate.Sha256, coming.Certificate.Sha256)));
        Assert.That((coming.Key is not null, Directory.GetDirectories(_fixture.Temporary, "*-retired-*").Length), Is.EqualTo((true, withPluggedIn ? 1 : 0)));
        Assert.That(_told.Count(t => t.Contains("delete secret istio-ca-secret", StringComparison.Ordinal)), Is.EqualTo(roots.Count));
    }

    [Test]
    public async Task A_rollback_leaves_self_signed_clusters_with_the_same_ca_and_the_change_can_begin_again([Values] bool restarted)
    {
        await BeginAsync(istiods: true);
        var roots = Clusters.Select(name => MakeSelfSigned(_apis[name]).Document.Sha256).ToList();
        Directory.Delete(_fixture.Store.Location, recursive: true);
        Assert.That(await FaultAsync(), Is.EqualTo("MT5512"));
        if (restarted) Restart();
        await Rotation().RollBackAsync(RootRotationPlan.File.Read(_fixture.Store)!, default);

        Assert.That(Held().Select(h => h.Ca), Is.EqualTo(roots));
        Assert.That(Held().Select(h => h.Roots.Split(' ').Order(StringComparer.Ordinal)), Is.All.EqualTo(roots.Order(StringComparer.Ordinal)), "without the new one");
        Restart();
        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.TrustBoth));
    }

    /// <summary>What the pods of istiod say, and the warnings with the words that their commands begin with.</summary>
    [TestCase("1.29.2", "true", false, "")]
    [TestCase("1.29.2", null, false, "MT5515 Helm: istioctl: Sail")]
    [TestCase("1.19.5", "true", false, "MT5515")]
    [TestCase("1.24.4", "true", false, "MT5514")]
    [TestCase("1.25.1-distroless", "false", true, "MT5514 MT5515 Helm: istioctl: Sail MT5517")]
    [TestCase("latest", "true", true, "MT5517")]
    [TestCase("1.29.2", null, false, "MT5515", true)]
    [TestCase("1.19.5", "true", false, "MT5515", true)]
    [TestCase("1.29.2", "true", false, "", true)]
    public async Task Warns_of_what_istio_does_not_do_in_these_clusters(string version, string? multiRoot, bool ztunnel, string expected, bool crossSigned = false)
    {
        await BeginAsync(istiods: true, crossSigned);
        foreach (var (name, api) in _apis)
        {
            if (name != "east") api.ConfigMaps.Clear();
            var container = api.Objects.Values.Single()["spec"]!["containers"]![0]!;
            (container["image"], container["env"]) = ($"istio/pilot:{version}", multiRoot is null ? null : new JsonArray(new JsonObject { ["name"] = "ISTIO_MULTIROOT_MESH", ["value"] = multiRoot }));
            if (ztunnel) api.Objects[new("v1", "pods", "istio-system", "ztunnel-1")] = new JsonObject { ["metadata"] = new JsonObject { ["name"] = "ztunnel-1", ["labels"] = new JsonObject { ["app"] = "ztunnel" } } };
        }

        var traps = await Rotation().TrapsAsync(default);
        Assert.That(string.Join(' ', traps.SelectMany(t => t.Commands.Select(c => c.Split(' ')[0]).Prepend(t.Warning.Id))), Is.EqualTo(expected));
        Assert.That(traps.Select(t => (t.Warning.Location, t.Warning.Severity)), Is.All.EqualTo(("east", Severity.Warning)), "istiod runs in east alone");
        Assert.That(traps.SelectMany(t => t.Commands), Is.All.Contains("east").And.All.Contains("ISTIO_MULTIROOT_MESH").And.All.Contains("PROXY_CONFIG_XDS_AGENT"));
        if (multiRoot is null && !crossSigned) Assert.That(traps[0].Commands[0], Does.Contain("--version 1.29.2"), "without it Helm would upgrade Istio");
    }

    [Test]
    public async Task Warns_of_a_self_signed_istiod_that_has_to_be_restarted()
    {
        await BeginAsync(istiods: true);
        MakeSelfSigned(_apis["west"]);
        Assert.That((await Rotation().TrapsAsync(default)).Where(t => t.Warning.Id == "MT5516").Select(t => t.Warning.Location), Is.EqualTo(new[] { "west" }));
    }

    /// <summary>Another program restores the old secret after each write.</summary>
    [Test]
    public async Task A_secret_that_another_program_reverts_closes_the_gate()
    {
        await BeginAsync();
        var api = _apis["west"];
        var old = api.Secrets["istio-system/cacerts"];
        api.Applied = () => api.Secrets["istio-system/cacerts"] = old;

        Assert.That(await FaultAsync(), Is.EqualTo("MT5512"));
        Assert.That(RootRotationPlan.File.Read(_fixture.Store)!.EndedAt, Is.Null);
    }

    [Test]
    public async Task A_mesh_without_trust_gets_no_new_root()
    {
        await BeginAsync();
        var other = CraftedCertificate.Root();
        _apis["west"].Secrets["istio-system/cacerts"] = CraftedMesh.Secret("cacerts", CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, "west")));

        Assert.That(await FaultAsync(), Is.EqualTo("MT5501"));
        Assert.That(Directory.Exists(Rotation().Next.Location), Is.False);
    }

    [Test]
    public async Task The_two_rotations_exclude_each_other()
    {
        await BeginAsync();
        await AdvanceAsync();
        var intermediates = new IntermediateRotation(Mesh);
        Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => intermediates.RotateAsync(intermediates.Plan(Names), default)))!.Problems[0].Id, Is.EqualTo("MT5513"));

        RootRotationPlan.File.Remove(_fixture.Store);
        RotationPlan.File.Write(_fixture.Store, intermediates.Plan(Names));
        Assert.That(await FaultAsync(), Is.EqualTo("MT5513"));
    }

    [Test]
    public void Reports_the_current_phase_and_the_next_step()
    {
        var plan = new RootRotationPlan(["a"], "b", RootPhase.TrustBoth, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        Assert.That(RootRotationPlan.Describe(null).Last(), Does.StartWith("Next: trust-both: "));
        Assert.That(RootRotationPlan.Describe(plan).ToList(), Has.ItemAt(0).EqualTo("Phase trust-both passed its gate on 2026-01-02T03:04:05Z.").And.ItemAt(1).StartsWith("Next: switch-issuer: "));
        Assert.That(RootRotationPlan.Describe(plan with { EndedAt = null }).ToList(), Has.ItemAt(0).EqualTo("Phase trust-both is under way.").And.ItemAt(1).StartsWith("Next: trust-both: "));
        Assert.That(RootRotationPlan.Describe(plan with { Phase = RootPhase.DropOld }).Last(), Does.Contain("takes the old one's place"));
        Assert.That(RootRotationPlan.Describe(null, crossSigned: true).Last(), Does.StartWith("Next: switch-issuer: "));
        Assert.That(RootRotationPlan.Describe(plan with { Cross = "" }).Last(), Does.StartWith("Next: drop-old: "));
        RootPhase[] usual = [.. Enum.GetValues<RootPhase>().Where(p => RootRotationPlan.IsLeft(plan, p, false))], crossed = [.. Enum.GetValues<RootPhase>().Where(p => RootRotationPlan.IsLeft(null, p, true))];
        Assert.That((usual, crossed), Is.EqualTo((new[] { RootPhase.SwitchIssuer, RootPhase.DropOld }, Enum.GetValues<RootPhase>())));
    }
}
