using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Rotation;
using MeshTrust.Settings;
using MeshTrust.Tests.Istiod;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Pki;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Rotation;

/// <summary>A change of root, phase by phase: what each cluster holds after each phase, which gates close, and the rollback.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class RootRotationTests : IDisposable
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

    /// <summary>root-cert.pem keeps its bytes while the issuer changes, and later runs need no option. The new root may be anyone's.</summary>
    [TestCase(false, false)]
    [TestCase(true, true)]
    public async Task Cross_signed_the_issuer_changes_first_and_every_cluster_accepts_it_with_the_old_root(bool minimal, bool brought)
    {
        _fixture.Trust = _fixture.Trust with { MinimalChain = minimal };
        await BeginAsync(crossSigned: true);
        if (brought)
        {
            var root = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Other", "CN=Other"], Printable = true, SubjectKeyId = false });
            var (file, key) = (Path.Combine(_fixture.Temporary, "own.pem"), Path.Combine(_fixture.Temporary, "own-key.pem"));
            File.WriteAllText(file, root.Pem);
            File.WriteAllText(key, root.Key.Pkcs8);
            _fixture.Trust = _fixture.Trust with { RootCertificateFile = file, RootKeyFile = key };
        }

        var (old, before) = (_fixture.Store.ReadRoot().Certificate, Data().Select(d => d["root-cert.pem"]).ToList());

        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.SwitchIssuer));
        _crossSigned = false;
        var coming = Rotation().Next.ReadRoot().Certificate;
        Assert.That(Data().Select(d => d["root-cert.pem"]), Is.EqualTo(before));
        var chains = Data().Select(d => PemDocument.Parse("", d["cert-chain.pem"]).Certificates).ToList();
        var cross = chains.Select(c => c[1]).Distinct().Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(chains.Select(c => c.Count), Is.All.EqualTo(minimal ? 2 : 3));
            Assert.That((cross.IsRenewalOf(coming), old.Issued(cross), cross.IsCa, cross.PathLength, cross.SubjectKeyId), Is.EqualTo((true, true, true, (int?)null, coming.SubjectKeyId ?? Convert.ToHexStringLower(coming.Key.KeyId))));
            Assert.That((cross.AuthorityKeyId, cross.AuthorityNamesIssuerAndSerial, cross.NotAfter <= old.NotAfter), Is.EqualTo((old.SubjectKeyId, false, true)));
            foreach (var chain in chains) Assert.That((CertificationPath.Fault(chain[0], chain, [old], DateTimeOffset.UtcNow), CertificationPath.Fault(chain[0], [], [coming], DateTimeOffset.UtcNow)), Is.EqualTo(((string?)null, (string?)null)));
        }

        var issued = Held().Select(h => h.Ca).ToList();
        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.TrustBoth));
        Assert.That(Held().Select(h => h.Roots), Is.All.EqualTo($"{old.Sha256} {coming.Sha256}"));
        Assert.That(await AdvanceAsync(), Is.Null);
        Assert.That(Held().Select(h => (h.Roots, h.Ca)), Is.EqualTo(issued.Select(i => (coming.Sha256, i))));
        Assert.That(Data().Select(d => Hashes(d, "cert-chain.pem")), Is.EqualTo(issued.Select(i => minimal ? i : $"{i} {coming.Sha256}")), "X is gone");
        Assert.That((await _fixture.ClustersAsync(Clusters)).Select(o => o.Kind), Is.All.EqualTo(IssueKind.Kept));
    }

    [TestCase("name", "MT5518 root-cert.pem")]
    [TestCase("length", "MT5518 root-cert.pem")]
    [TestCase("key", "MT5101 root-key.pem")]
    [TestCase("root", "MT5518 west")]
    [TestCase("self-signed", "MT5518 west")]
    public async Task What_cannot_be_cross_signed_is_refused_before_anything_changes(string what, string expected)
    {
        if (what == "length")
        {
            Directory.CreateDirectory(_fixture.Store.Location);
            var root = CraftedCertificate.Root(new CraftedSpec { PathLength = 1 });
            _fixture.Trust = _fixture.Trust with { Root = _fixture.Trust.Root with { Days = 3651 } };
            File.WriteAllText(_fixture.PathOf("root-cert.pem"), root.Pem);
            File.WriteAllText(_fixture.PathOf("root-key.pem"), root.Key.Pkcs8);
        }

        await BeginAsync(istiods: what == "self-signed");
        _crossSigned = true;
        if (what != "name") NameNewRoot();
        if (what == "key") File.Delete(_fixture.PathOf("root-key.pem"));
        if (what == "self-signed") MakeSelfSigned(_apis["west"]);
        if (what == "root")
        {
            var other = CraftedCertificate.Root();
            foreach (var name in Clusters)
                foreach (var (file, content) in CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, name)).Where(f => name == "west" || f.Key == "root-cert.pem"))
                    File.WriteAllText(_fixture.PathOf($"{name}/{file}"), file == "root-cert.pem" ? File.ReadAllText(_fixture.PathOf("root-cert.pem")) + other.Pem : content);
            foreach (var name in Clusters) _apis[name].Secrets["istio-system/cacerts"] = CacertsSecret.For(_fixture.Store.ReadCacerts(ClusterName.Parse(name)), "istio-system");
        }

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(AdvanceAsync))!;
        Assert.That(fault.Problems.Select(p => $"{p.Id} {Path.GetFileName(p.Location)}"), Is.EqualTo(new[] { expected }));
        Assert.That((Directory.Exists(Rotation().Next.Location), RootRotationPlan.File.Read(_fixture.Store)), Is.EqualTo((false, (RootRotationPlan?)null)));
    }

    [Test]
    public async Task A_change_that_began_without_cross_signing_goes_on_without_it()
    {
        await BeginAsync();
        await AdvanceAsync();
        _crossSigned = true;
        Assert.That(await FaultAsync(), Is.EqualTo("MT5513"));
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
    public async Task Cross_signed_a_proxy_with_the_old_root_alone_closes_only_the_last_gate()
    {
        await BeginAsync(istiods: true, crossSigned: true);
        _soak = TimeSpan.Zero;
        await AdvanceAsync();
        new FakeEnvoy { Pod = "web-1", Roots = _fixture.Store.ReadRoot().Certificate.ToPem() }.In(_apis["west"]);
        new FakeEnvoy { Pod = "foreign-1", Roots = CraftedCertificate.Root().Pem }.In(_apis["west"]);
        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.TrustBoth));
        Assert.That(await FaultAsync(), Is.EqualTo("MT5511"));
        _apis["west"].Objects.Remove(new("v1", "pods", "shop", "web-1"));
        Assert.That(await AdvanceAsync(), Is.Null, "a proxy of another mesh does not count");
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

    /// <summary>A run that was killed while the new root moved into the trust store.</summary>
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public async Task The_end_goes_on_where_it_was_killed(int moved)
    {
        await BeginAsync();
        await AdvanceAsync();
        await AdvanceAsync();
        var next = Rotation().Next;
        var (old, coming) = (_fixture.Store.ReadRoot().Certificate.Sha256, next.ReadRoot().Certificate.Sha256);
        var kept = Directory.CreateDirectory(Rotation().Retired(RootRotationPlan.File.Read(_fixture.Store))).FullName;
        foreach (var file in new[] { "root-cert.pem", "root-key.pem" }.Take(moved)) File.Move(_fixture.PathOf(file), Path.Combine(kept, file));
        if (moved == 2) File.Move(next.RootCertPath, _fixture.PathOf("root-cert.pem"));
        RootRotationPlan.File.Write(_fixture.Store, RootRotationPlan.File.Read(_fixture.Store)! with { Phase = RootPhase.DropOld });
        await AdvanceAsync();

        Assert.That((_fixture.Store.ReadRoot().Certificate.Sha256, _fixture.Store.ReadRoot().Key is not null), Is.EqualTo((coming, true)));
        Assert.That((new TrustStore(kept).ReadRoot().Certificate.Sha256, new TrustStore(kept).ReadRoot().Key is not null), Is.EqualTo((old, true)));
    }

    /// <summary>A cluster cannot be written in the middle of each phase; the next run resumes, and nothing is issued twice.</summary>
    [Test]
    public async Task An_interrupted_phase_resumes([Range(0, 2)] int phases, [Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        for (var i = 0; i < phases; i++) await AdvanceAsync();
        _apis["west"].Faults["apply secret"] = new Problem("MT3002", "west", "It was refused.", "Start it.");
        Assert.That(await FaultAsync(), Is.EqualTo("MT3002"));
        var east = Held()[0];
        _apis["west"].Faults.Clear();
        await AdvanceAsync();

        Assert.That(Held()[0], Is.EqualTo(east));
        Assert.That(Held().Select(h => h.Roots).Distinct().Count(), Is.EqualTo(1));
    }

    /// <summary>Killed between two renames of switch-issuer: the files of east in the store do not match.</summary>
    [Test]
    public async Task Files_that_a_killed_switch_left_half_written_are_issued_again([Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        var before = State();
        if (!crossSigned) await AdvanceAsync();
        _apis["east"].Faults["apply secret"] = new Problem("MT3002", "east", "It was refused.", "Start it.");
        Assert.That(await FaultAsync(), Is.EqualTo("MT3002"));
        _apis["east"].Faults.Clear();
        File.Copy(_fixture.PathOf("west/ca-key.pem"), _fixture.PathOf("east/ca-key.pem"), overwrite: true);

        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.SwitchIssuer));
        Assert.That(Data().Select(d => PemDocument.Parse("", d["ca-cert.pem"]).Certificates[0].AuthorityKeyId), Is.All.EqualTo(Rotation().Next.ReadRoot().Certificate.SubjectKeyId));
        for (var plan = RootRotationPlan.File.Read(_fixture.Store); plan is not null;) plan = await Rotation().RollBackAsync(plan, default);
        Assert.That(State(), Is.EqualTo(before), "what was kept is what it had at the start");
    }

    [Test]
    public async Task A_rollback_goes_back_phase_by_phase_to_the_first_byte([Range(1, 2)] int phases, [Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        var states = new Stack<string>([State()]);
        for (var i = 0; i < phases; i++)
        {
            await AdvanceAsync();
            states.Push(State());
        }

        for (states.Pop(); states.Count > 0;)
        {
            await Rotation().RollBackAsync(RootRotationPlan.File.Read(_fixture.Store)!, default);
            Assert.That(State(), Is.EqualTo(states.Pop()));
        }

        Assert.That(RootRotationPlan.File.Read(_fixture.Store), Is.Null);
    }

    [Test]
    public async Task A_rollback_restores_roots_that_were_dropped_in_some_clusters([Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        await AdvanceAsync();
        await AdvanceAsync();
        var both = State();
        _apis["west"].Faults["apply secret"] = new Problem("MT3002", "west", "It was refused.", "Start it.");
        await FaultAsync();
        Assert.That(State(), Is.Not.EqualTo(both));
        _apis["west"].Faults.Clear();
        await Rotation().RollBackAsync(RootRotationPlan.File.Read(_fixture.Store)!, default);

        Assert.That(State(), Is.EqualTo(both));
    }

    /// <summary>drop-old was killed between the two files of a cluster that it writes, in either order.</summary>
    [Test]
    public async Task Cross_signed_a_drop_that_was_killed_between_two_files_goes_on_or_back([Values] bool back, [Values] bool minimal)
    {
        _fixture.Trust = _fixture.Trust with { MinimalChain = minimal };
        await BeginAsync(crossSigned: true);
        await AdvanceAsync();
        await AdvanceAsync();
        var both = State();
        var coming = Rotation().Next.ReadRoot().Certificate;
        RootRotationPlan.File.Write(_fixture.Store, RootRotationPlan.File.Read(_fixture.Store)! with { Phase = RootPhase.DropOld, EndedAt = null });
        File.WriteAllText(_fixture.PathOf("east/root-cert.pem"), coming.ToPem());
        File.WriteAllText(_fixture.PathOf("west/cert-chain.pem"), File.ReadAllText(_fixture.PathOf("west/ca-cert.pem")) + (minimal ? "" : coming.ToPem()));

        if (back)
        {
            Assert.That((await Rotation().RollBackAsync(RootRotationPlan.File.Read(_fixture.Store)!, default))!.Phase, Is.EqualTo(RootPhase.TrustBoth));
            Assert.That(State(), Is.EqualTo(both));
            return;
        }

        Assert.That(await AdvanceAsync(), Is.Null);
        Assert.That(Held().Select(h => h.Roots), Is.All.EqualTo(coming.Sha256));
        Assert.That(Data().Select(d => Hashes(d, "cert-chain.pem").Split(' ')), Is.All.Length.EqualTo(minimal ? 1 : 2));
    }

    /// <summary>root-cert.pem also has the root of another mesh.</summary>
    [Test]
    public async Task Foreign_roots_are_kept_and_a_rollback_restores_every_byte([Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        var other = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Other", "CN=Other"] });
        foreach (var name in Clusters)
        {
            var path = _fixture.PathOf($"{name}/root-cert.pem");
            File.WriteAllText(path, File.ReadAllText(path) + other.Pem);
            _apis[name].Secrets["istio-system/cacerts"] = CacertsSecret.For(_fixture.Store.ReadCacerts(ClusterName.Parse(name)), "istio-system");
        }

        var before = State();
        await AdvanceAsync();
        await Rotation().RollBackAsync(RootRotationPlan.File.Read(_fixture.Store)!, default);
        Assert.That(State(), Is.EqualTo(before));
        await AdvanceAsync();
        await AdvanceAsync();
        await AdvanceAsync();
        Assert.That(Held().Select(h => h.Roots), Is.All.EqualTo($"{other.Document.Sha256} {_fixture.Store.ReadRoot().Certificate.Sha256}"));
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

    private IReadOnlyList<ClusterName> Names => [.. _apis.Keys.Select(ClusterName.Parse)];

    private MeshTopology Topology => _mesh.Topology with { Trust = _fixture.Trust };

    private async Task BeginAsync(bool istiods = false, bool crossSigned = false)
    {
        _fixture.Time.SetUtcNow(DateTimeOffset.UtcNow);
        await _fixture.RootAsync();
        await _fixture.ClustersAsync(Clusters);
        foreach (var name in Clusters)
        {
            var api = await _mesh.AddAsync(name, publishes: false, runs: false);
            api.Secrets["istio-system/cacerts"] = CacertsSecret.For(_fixture.Store.ReadCacerts(ClusterName.Parse(name)), "istio-system");
            _apis[name] = api;
            if (!istiods) continue;
            Publish(api);
            api.Applied = () => Publish(api);
            await _mesh.AddRevisionAsync(name, "default", b => b with { Ca = () => new CertificateAuthority(_selfSigned.GetValueOrDefault(api) ?? Files(api)) });
        }

        _crossSigned = crossSigned;
        if (crossSigned) NameNewRoot();
    }

    private void NameNewRoot() => _fixture.Trust = _fixture.Trust with { Root = _fixture.Trust.Root with { CommonName = "Root CA 2" } };

    /// <summary>The cluster's istiod has its own CA in istio-ca-secret, until it is restarted.</summary>
    private CraftedCertificate MakeSelfSigned(MemoryClusterApi api)
    {
        var root = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=cluster.local"] });
        var files = new Dictionary<string, string> { ["ca-cert.pem"] = root.Pem, ["ca-key.pem"] = root.Key.Pkcs8 };
        api.Secrets.Remove("istio-system/cacerts");
        api.Secrets["istio-system/istio-ca-secret"] = CraftedMesh.Secret("istio-ca-secret", files);
        api.ConfigMaps["istio-system/istio-ca-root-cert"] = CraftedMesh.Roots("istio-system", root.Pem);
        _selfSigned[api] = new(files) { ["cert-chain.pem"] = root.Pem, ["root-cert.pem"] = root.Pem };
        api.Applied = null;
        return root;
    }

    private void Restart()
    {
        _selfSigned.Clear();
        foreach (var api in _apis.Values)
        {
            Publish(api);
            api.Applied = () => Publish(api);
        }
    }

    private RotatedMesh Mesh => new(Topology, _mesh.Access, _ => _mesh.Connect, _fixture.Store, _fixture.Keys, TimeProvider.System)
    {
        Wait = TimeSpan.FromSeconds(1), Tell = _told.Add,
    };

    private RootRotation Rotation() => new(Mesh) { Soak = _soak, CrossSigned = _crossSigned };

    private Task<RootRotationPlan?> AdvanceAsync() => Rotation().AdvanceAsync(default);

    private async Task<string> FaultAsync()
    {
        try
        {
            await AdvanceAsync();
            return "";
        }
        catch (MeshTrustException fault)
        {
            Assert.That(fault.Problems[0].Hint, Is.Not.Empty);
            return fault.Problems[0].Id;
        }
    }

    private IEnumerable<IReadOnlyDictionary<string, byte[]>> Data() => _apis.Values.Select(a => a.Secrets["istio-system/cacerts"].Data);

    private string State() => string.Join('\n', Data().SelectMany(d => d.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key} {Convert.ToHexString(f.Value)}")));

    private List<(string Ca, string Roots, string ChainEnd)> Held() => [.. Data().Select(d => (Hashes(d, "ca-cert.pem"), Hashes(d, "root-cert.pem"), Hashes(d, "cert-chain.pem").Split(' ')[^1]))];

    private static string Hashes(IReadOnlyDictionary<string, byte[]> data, string file) => string.Join(' ', PemDocument.Parse(file, data[file]).Certificates.Select(c => c.Sha256));

    private static Dictionary<string, string> Files(MemoryClusterApi api) => api.Secrets["istio-system/cacerts"].Data.ToDictionary(d => d.Key, d => Encoding.UTF8.GetString(d.Value));

    private static void Publish(MemoryClusterApi api) => api.ConfigMaps["istio-system/istio-ca-root-cert"] = CraftedMesh.Roots("istio-system", Files(api)["root-cert.pem"]);
}
