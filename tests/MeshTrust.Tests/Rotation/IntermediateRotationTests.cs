using System.Text;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Rotation;
using MeshTrust.Settings;
using MeshTrust.Tests.Istiod;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Pki;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Rotation;

/// <summary>New intermediates under the same root: what is written, kept, proven and rejected, and how a killed rotation resumes.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class IntermediateRotationTests : IDisposable
{
    private readonly StoreFixture _fixture = new();
    private readonly RunningMesh _mesh = new() { Patience = TimeSpan.FromSeconds(5) };
    private readonly Dictionary<string, MemoryClusterApi> _apis = [];
    private readonly List<string> _told = [];
    private DataPlaneMode _mode;

    public void Dispose() => _fixture.Dispose();

    [TearDown]
    public async Task StopAsync() => await _mesh.DisposeAsync();

    [Test]
    public async Task Gives_each_cluster_a_new_intermediate_under_the_same_root()
    {
        await BeginAsync("east", "west");
        var before = Held();
        await RotateAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Held().Select(h => h.Serial), Has.None.AnyOf([.. before.Select(b => b.Serial)]));
            Assert.That(Held().Select(h => h.Root), Is.EqualTo(before.Select(b => b.Root)), "byte for byte");
            Assert.That(Held().Select(h => h.Serial), Is.EqualTo(Stored()));
            Assert.That(_told.Where(t => t.Contains("every pair", StringComparison.Ordinal)).Select(t => t[..4]), Is.EqualTo(new[] { "east", "west" }), "one after the other");
            Assert.That(File.Exists(RotationPlan.File.PathIn(_fixture.Store)), Is.False);
            Assert.That(StoreFixture.ModeOf(_fixture.PathOf("east/previous/ca-key.pem")), Is.EqualTo(OperatingSystem.IsWindows() ? UnixFileMode.None : UnixFileMode.UserRead | UnixFileMode.UserWrite));
        }
    }

    [Test]
    public async Task Only_the_chosen_cluster_changes()
    {
        await BeginAsync("east", "west");
        var before = Held();
        await RotateAsync("west");

        Assert.That(Held()[0], Is.EqualTo(before[0]));
        Assert.That(Held()[1].Serial, Is.Not.EqualTo(before[1].Serial));
    }

    [Test]
    public async Task A_rollback_restores_every_byte_and_a_second_one_finds_nothing()
    {
        await BeginAsync("east", "west");
        var before = Held();
        await RotateAsync();
        var back = await Rotation().RollBackAsync(Names, default);

        Assert.That((Held(), back), Is.EqualTo((before, Names)));
        Assert.That(Stored(), Is.EqualTo(before.Select(b => b.Serial)));
        Assert.That(await Rotation().RollBackAsync(Names, default), Is.Empty);
        Assert.That(Held(), Is.EqualTo(before));
    }

    /// <summary>Killed after it was issued, and after it was pushed; the second cluster follows in the next run.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public async Task A_killed_rotation_resumes_and_rotates_nothing_twice(bool isPushed)
    {
        await BeginAsync("east", "west");
        var before = Held();
        var plan = Rotation().Plan(Names);
        RotationPlan.File.Write(_fixture.Store, plan);
        _fixture.Store.SavePrevious(Names[0]);
        var issued = await IntermediateCaIssuer.RenewAsync(_fixture.Store, Topology, Names[0], _fixture.Keys, _fixture.Time, default);
        if (isPushed) _apis["east"].Secrets["istio-system/cacerts"] = CacertsSecret.For(issued, "istio-system");
        await RotateAsync("west");

        Assert.That(Held()[0].Serial, Is.EqualTo(issued.Certificate.SerialNumber), "the plan that had begun decides, and east is not issued again");
        Assert.That(Held()[1].Serial, Is.Not.EqualTo(before[1].Serial));
        await Rotation().RollBackAsync(Names, default);
        Assert.That(Held(), Is.EqualTo(before), "what was kept is what it had at the start");
    }

    /// <summary>Killed between two renames: the files in the store do not match.</summary>
    [Test]
    public async Task Files_that_a_killed_run_left_half_written_are_issued_again()
    {
        await BeginAsync("east", "west");
        var before = Held();
        RotationPlan.File.Write(_fixture.Store, Rotation().Plan(Names));
        _fixture.Store.SavePrevious(Names[0]);
        File.Copy(_fixture.PathOf("west/ca-key.pem"), _fixture.PathOf("east/ca-key.pem"), overwrite: true);
        await RotateAsync();

        Assert.That(Held()[0].Serial, Is.EqualTo(Stored()[0]).And.Not.EqualTo(before[0].Serial));
    }

    [Test]
    public async Task A_mesh_without_trust_is_not_rotated()
    {
        await BeginAsync("east", "west");
        var other = CraftedCertificate.Root();
        _apis["west"].Secrets["istio-system/cacerts"] = CraftedMesh.Secret("cacerts", CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, "west")));
        var content = _fixture.Content();

        Assert.That(await FaultAsync(), Is.EqualTo("MT5501"));
        Assert.That((_fixture.Content(), _apis.Values.SelectMany(a => a.Writes)), Is.EqualTo((content, Array.Empty<string>())));
    }

    [Test]
    public async Task A_cluster_that_cannot_be_read_closes_the_gate()
    {
        await BeginAsync("east", "west");
        _apis["west"].Faults["get secret"] = new Problem("MT3007", "west", "You may not.", "Ask.");

        Assert.That(await FaultAsync("east"), Is.EqualTo("MT5501"));
    }

    [Test]
    public async Task A_CA_in_the_cluster_that_differs_from_the_store_is_not_replaced()
    {
        await BeginAsync("east", "west");
        await IntermediateCaIssuer.RenewAsync(_fixture.Store, Topology, Names[0], _fixture.Keys, _fixture.Time, default);

        Assert.That(await FaultAsync(), Is.EqualTo("MT5502"));
    }

    [Test]
    public async Task Without_the_key_of_the_root_nothing_changes()
    {
        await BeginAsync("east", "west");
        var before = Held();
        File.Delete(_fixture.PathOf("root-key.pem"));

        Assert.That((await FaultAsync(), Held()), Is.EqualTo(("MT5101", before)));
    }

    [Test]
    public async Task A_plan_that_cannot_be_read_is_named()
    {
        await BeginAsync("east");
        File.WriteAllText(RotationPlan.File.PathIn(_fixture.Store), "{");

        Assert.That(await FaultAsync(), Is.EqualTo("MT5504"));
    }

    [Test]
    public async Task A_previous_intermediate_of_another_root_is_not_restored()
    {
        await BeginAsync("east");
        await RotateAsync();
        using var other = new StoreFixture();
        await other.OneClusterAsync();
        foreach (var (file, content) in other.Store.ReadCacerts(Names[0]).ToFiles()) File.WriteAllBytes(_fixture.PathOf($"east/previous/{file}"), content.ToArray());

        Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => Rotation().RollBackAsync(Names, default)))!.Problems[0].Id, Is.EqualTo("MT5505"));
    }

    /// <summary>A sidecar rejects a CA until it has its CRL: so the other clusters get that first, and their istiods publish it.</summary>
    [Test]
    public async Task With_CRLs_the_other_clusters_get_that_of_the_new_CA_first()
    {
        await BeginAsync("east", "west");
        await CrlIssuer.RenewAsync(_fixture.Store, Topology, TimeProvider.System, default);
        foreach (var (name, api) in _apis) api.Secrets["istio-system/cacerts"] = CacertsSecret.For(_fixture.Store.ReadCacerts(ClusterName.Parse(name)), "istio-system");
        var old = _fixture.Store.ReadCacerts(Names[0]);
        await RotateAsync("east");
        Assert.That(_told.Where(t => t.Contains("secret cacerts", StringComparison.Ordinal)), Is.EqualTo(new[] { "west: secret cacerts changed", "east: secret cacerts changed" }));
        foreach (var chain in new[] { old.Chain, _fixture.Store.ReadCacerts(Names[0]).Chain, _fixture.Store.ReadCacerts(Names[1]).Chain })
            foreach (var api in _apis.Values) Assert.That(RevocationLists.Parse("", api.Secrets["istio-system/cacerts"].Data["ca-crl.pem"]).Fault(chain, DateTimeOffset.UtcNow), Is.Null);

        _apis["west"].ConfigMaps["istio-system/istio-ca-crl"] = CraftedMesh.Map("istio-system", "istio-ca-crl", "ca-crl.pem", "an earlier one");
        Assert.That(await FaultAsync("east"), Is.EqualTo("MT5503"), "istiod in west does not publish it");
        _apis["west"].ConfigMaps.Remove("istio-system/istio-ca-crl");
        await Rotation().RollBackAsync(Names, default);
        await RotateAsync("west");
        await CrlIssuer.RevokeAsync(_fixture.Store, Topology, new RunSpec { Clusters = [Names[1]] }, TimeProvider.System, default);
        Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => Rotation().RollBackAsync(Names, default)))!.Problems[0].Id, Is.EqualTo("MT5505"));
        _mode = DataPlaneMode.Ambient;
        Assert.That(await FaultAsync(), Is.EqualTo("MT5520"));
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { CommonName = "Intermediate CA 2" } };
        await RotateAsync();
    }

    /// <summary>istiod runs in both clusters: the next cluster follows only when the previous one signs with the new intermediate.</summary>
    [Test]
    public async Task Waits_until_istiod_signs_with_the_new_intermediate_before_the_next_cluster()
    {
        await BeginAsync("east", "west");
        foreach (var (name, api) in _apis)
        {
            Publish(api);
            await _mesh.AddRevisionAsync(name, "default", b => b with { Ca = () => Loaded(api) });
        }

        await RotateAsync();
        Assert.That(_told.Where(t => t.Contains("proven", StringComparison.Ordinal)), Is.EqualTo(new[]
        {
            "east: every pair of clusters proven, 4 of 4 with certificates that istiod issued", "west: every pair of clusters proven, 4 of 4 with certificates that istiod issued",
        }));
    }

    [Test]
    public async Task An_istiod_that_does_not_load_it_stops_the_rotation_and_a_rollback_is_possible()
    {
        await BeginAsync("east", "west");
        var before = Held();
        foreach (var (name, api) in _apis)
        {
            Publish(api);
            var old = Loaded(api);
            await _mesh.AddRevisionAsync(name, "default", b => b with { Ca = () => old });
        }

        Assert.That(await FaultAsync(), Is.EqualTo("MT5503"));
        Assert.That(Held()[1], Is.EqualTo(before[1]), "west was not touched");
        await Rotation().RollBackAsync(Names, default);
        Assert.That((Held(), File.Exists(RotationPlan.File.PathIn(_fixture.Store))), Is.EqualTo((before, false)));
    }

    /// <summary>Each cluster is read again after its own push, and the whole mesh at the end.</summary>
    [Test]
    public async Task A_change_in_another_cluster_during_the_rotation_is_found_at_the_end()
    {
        await BeginAsync("east", "west", "north");
        var (good, other) = (_apis["north"].Secrets["istio-system/cacerts"], CraftedCertificate.Root());
        _apis["east"].Applied = () => _apis["north"].Secrets["istio-system/cacerts"] = CraftedMesh.Secret("cacerts", CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, "north")));

        Assert.That(await FaultAsync("east", "west"), Is.EqualTo("MT5501"));
        Assert.That(File.Exists(RotationPlan.File.PathIn(_fixture.Store)), Is.True);
        var (held, issued) = (Held()[..2], _told.Count(t => t.Contains("issued", StringComparison.Ordinal)));
        _apis["north"].Secrets["istio-system/cacerts"] = good;
        await RotateAsync("east", "west");
        Assert.That((Held()[..2], issued, _told.Count(t => t.Contains("issued", StringComparison.Ordinal))), Is.EqualTo((held, 2, 2)), "nothing is issued twice");
        Assert.That(File.Exists(RotationPlan.File.PathIn(_fixture.Store)), Is.False);
    }

    /// <summary>The push of one cluster breaks it: something else writes over the secret.</summary>
    [Test]
    public async Task A_cluster_that_holds_another_ca_after_its_push_stops_the_rotation()
    {
        await BeginAsync("east", "west", "north");
        var other = CraftedCertificate.Root();
        _apis["west"].Applied = () => _apis["west"].Secrets["istio-system/cacerts"] = CraftedMesh.Secret("cacerts", CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, "west")));
        var north = Held()[2];

        Assert.That(await FaultAsync(), Is.EqualTo("MT5501"));
        Assert.That(Held()[2], Is.EqualTo(north));
    }

    private IReadOnlyList<ClusterName> Names => [.. _apis.Keys.Select(ClusterName.Parse)];

    private MeshTopology Topology => _mesh.Topology with { Trust = _fixture.Trust, Mode = _mode };

    private async Task BeginAsync(params string[] clusters)
    {
        _fixture.Time.SetUtcNow(DateTimeOffset.UtcNow);
        await _fixture.RootAsync();
        await _fixture.ClustersAsync(clusters);
        foreach (var name in clusters)
        {
            var api = await _mesh.AddAsync(name, publishes: false, runs: false);
            api.Secrets["istio-system/cacerts"] = CacertsSecret.For(_fixture.Store.ReadCacerts(ClusterName.Parse(name)), "istio-system");
            _apis[name] = api;
        }
    }

    private IntermediateRotation Rotation() => new(new(Topology, _mesh.Access, _ => _mesh.Connect, _fixture.Store, _fixture.Keys, TimeProvider.System)
    {
        Wait = TimeSpan.FromSeconds(1), Tell = _told.Add,
    });

    private Task RotateAsync(params string[] clusters)
    {
        var rotation = Rotation();
        return rotation.RotateAsync(rotation.Plan(clusters.Length == 0 ? Names : [.. clusters.Select(ClusterName.Parse)]), default);
    }

    private async Task<string> FaultAsync(params string[] clusters)
    {
        try
        {
            await RotateAsync(clusters);
            return "";
        }
        catch (MeshTrustException fault)
        {
            Assert.That(fault.Problems[0].Hint, Is.Not.Empty);
            return fault.Problems[0].Id;
        }
    }

    private IReadOnlyList<string> Stored() => [.. Names.Select(n => _fixture.Store.ReadCacerts(n).Certificate.SerialNumber)];

    private List<(string Serial, string Root)> Held() =>
    [
        .. _apis.Values.Select(a => a.Secrets["istio-system/cacerts"].Data)
            .Select(d => (CertificateDocument.FromDer(PemDocument.Parse("ca", d["ca-cert.pem"]).Certificates[0].Der).SerialNumber, Convert.ToHexString(d["root-cert.pem"]))),
    ];

    private static void Publish(MemoryClusterApi api) =>
        api.ConfigMaps["istio-system/istio-ca-root-cert"] = CraftedMesh.Roots("istio-system", Encoding.UTF8.GetString(api.Secrets["istio-system/cacerts"].Data["root-cert.pem"]));

    private static CertificateAuthority Loaded(MemoryClusterApi api) =>
        new(api.Secrets["istio-system/cacerts"].Data.ToDictionary(d => d.Key, d => Encoding.UTF8.GetString(d.Value)));
}
