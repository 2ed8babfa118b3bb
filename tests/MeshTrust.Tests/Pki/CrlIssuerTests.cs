using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Tests.Pki;

/// <summary>The CRLs of a store: complete, renewed in time, and the record of what is revoked.</summary>
internal sealed class CrlIssuerTests
{
    private static readonly ClusterName East = ClusterName.Parse("east");
    private StoreFixture _fixture = null!;

    [SetUp]
    public async Task BeginAsync()
    {
        _fixture = new StoreFixture();
        await _fixture.RootAsync();
        await _fixture.ClustersAsync("east", "west");
    }

    [TearDown]
    public void End() => _fixture?.Dispose();

    [Test]
    public async Task A_store_has_no_CRLs_until_they_are_requested_and_then_one_of_every_CA()
    {
        var before = _fixture.Content();
        Assert.That((await KeepAsync(), _fixture.Store.ReadCacerts(East).Crl), Is.EqualTo(((CrlOutcome?)null, (ReadOnlyMemory<byte>?)null)));
        Assert.That(_fixture.Content(), Is.EqualTo(before));

        var outcome = await RenewAsync();
        Assert.That((outcome.Issued, outcome.Lists.Count, outcome.Notes.Count), Is.EqualTo((3, 3, 0)));
        foreach (var cluster in Clusters) Assert.That(Fault(cluster.Chain), Is.Null, "every cluster accepts every other");
        Assert.That(_fixture.Store.ReadCacerts(East).Crl?.ToArray(), Is.EqualTo(File.ReadAllBytes(_fixture.Store.CrlPath)));
        var left = Path.Combine(_fixture.Store.Location, ".ca-crl.pem-0123456789abcdef0123456789abcdef.meshtrust.tmp");
        File.WriteAllText(left, "");
        Assert.That((await KeepAsync())!.Issued, Is.Zero);
        Assert.That(left, Does.Not.Exist, "a killed run left it");
        var der = PemDocument.Parse("", File.ReadAllBytes(_fixture.Store.CrlPath)).Blocks[0].Der;
        Assert.That(RevocationLists.Parse("ca-crl.pem", der.Span).Defects, Has.One.Contains("openssl crl -inform DER"), "istiod reads PEM only");
    }

    [Test]
    public async Task A_replaced_intermediate_is_revoked_once_and_stays_revoked_through_renewals()
    {
        var old = await ReplaceAsync();
        var revoked = await RevokeAsync(new RunSpec { Clusters = [East] });
        Assert.That(revoked.Revoked.Single(), Does.StartWith($"{old.Certificate.SerialNumber} (O=Istio, CN=Intermediate CA, L=east), issued by "));
        Assert.That(Fault(old.Chain), Does.StartWith("the CRL of 'O=Istio, CN=Root CA' revokes 'O=Istio, CN=Intermediate CA, L=east'"));
        foreach (var cluster in Clusters) Assert.That(Fault(cluster.Chain), Is.Null);
        var inspected = CertificateInspection.Of(PemFiles.Read([_fixture.Store.CrlPath]), _fixture.Time.GetUtcNow()).Files.Single();
        Assert.That(inspected.Crls.SelectMany(c => c.Revoked, (c, serial) => (c.Issuer, serial)), Is.EqualTo(new[] { ("O=Istio, CN=Root CA", old.Certificate.SerialNumber) }));
        Assert.That((inspected.Crls.Count, inspected.Others.Count, inspected.Defects.Count), Is.EqualTo((4, 0, 0)));

        var content = _fixture.Content();
        Assert.That((await RevokeAsync(new RunSpec { Clusters = [East], Serials = [old.Certificate.SerialNumber] })).Revoked, Is.Empty);
        _fixture.Time.Advance(TimeSpan.FromDays(89));
        await KeepAsync();
        Assert.That(_fixture.Content(), Is.EqualTo(content), "kept in the first half of its life");
        _fixture.Time.Advance(TimeSpan.FromDays(2));
        Assert.That((await KeepAsync())!.Issued, Is.EqualTo(4));
        Assert.That(Fault(old.Chain), Does.Contain("revokes"));
        Assert.That(_fixture.Store.ReadCrls()!.Lists.Select(l => l.NextUpdate), Is.All.EqualTo(new DateTimeOffset(2026, 11, 21, 10, 0, 0, TimeSpan.Zero).AddDays(180)));
    }

    /// <summary>By a file, and by the serial number of a CA that nothing keeps any more, as openssl writes it.</summary>
    [Test]
    public async Task A_workloads_certificate_and_a_serial_number_are_revoked()
    {
        var cluster = new ClusterSpec { Name = East };
        var run = new RunSpec { Workloads = [new WorkloadName("bookinfo", "ratings-vm")], WorkloadDays = 30 };
        var leaf = (await WorkloadCertIssuer.EnsureAsync(_fixture.Store, _fixture.Trust, cluster, run, _fixture.Time, default))[0].Material;
        var outcome = await RevokeAsync(new RunSpec { Files = [Path.Combine(leaf.Directory, "cert-chain.pem")], Serials = ["f00d"] });

        Assert.That(outcome.Revoked, Has.Exactly(1).StartsWith($"{leaf.Certificate.SerialNumber} (spiffe://cluster.local/ns/bookinfo/sa/ratings-vm)").And.Exactly(1).StartsWith("f00d, issued by O=Istio, CN=Root CA"));
        Assert.That(Fault([leaf.Certificate, .. Clusters[0].Chain]), Does.StartWith("the CRL of 'O=Istio, CN=Intermediate CA, L=east' revokes "));
        Assert.That((await WorkloadCertIssuer.EnsureAsync(_fixture.Store, _fixture.Trust, cluster, run, _fixture.Time, default))[0].Kind, Is.EqualTo(IssueKind.Reissued));
        Assert.That(_fixture.Store.ReadCrls()!.Of(Clusters[0].Root)!.Revokes(new byte[] { 0, 0xf0, 0x0d }), "a positive number");
    }

    [Test]
    public async Task What_is_in_use_unknown_or_missing_is_refused_all_at_once_and_nothing_is_written()
    {
        using var other = new StoreFixture();
        await other.OneClusterAsync();
        var before = _fixture.Content();
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => RevokeAsync(new RunSpec
        {
            Clusters = [East],
            Files = [_fixture.PathOf("east/ca-cert.pem"), _fixture.PathOf("root-cert.pem"), other.PathOf("east/ca-cert.pem"), _fixture.PathOf("root-key.pem"), _fixture.PathOf("none.pem")],
            Serials = [Clusters[1].Certificate.SerialNumber],
        })))!;

        Assert.That(fault.Problems.Select(p => p.Id), Is.EqualTo(new[] { "MT5154", "MT5153", "MT5153", "MT5154", "MT5102", "MT5120", "MT5153" }));
        Assert.That(fault.Problems.Select(p => p.Hint), Has.Exactly(1).Contains("--target=RotateRoot").And.Exactly(1).Contains("--cluster=west."));
        Assert.That(_fixture.Content(), Is.EqualTo(before));
    }

    [Test]
    public async Task Without_the_root_key_only_what_intermediates_issued_can_be_revoked_and_the_end_is_announced()
    {
        var old = await ReplaceAsync();
        await RenewAsync();
        var (root, key) = (_fixture.Store.ReadCrls()!.Of(old.Root)!, File.ReadAllBytes(_fixture.Store.RootKeyPath));
        File.Delete(_fixture.Store.RootKeyPath);
        Assert.That(await IdsAsync(() => RevokeAsync(new RunSpec { Clusters = [East] })), Is.EqualTo(new[] { "MT5152" }));
        Assert.That((await RenewAsync()).Issued, Is.EqualTo(3));
        Assert.That(_fixture.Store.ReadCrls()!.Of(old.Root)!.ToPem(), Is.EqualTo(root.ToPem()), "kept byte for byte");

        _fixture.Time.Advance(TimeSpan.FromDays(150));
        Assert.That((await KeepAsync())!.Notes.Single(), Does.StartWith("The CRL of 'O=Istio, CN=Root CA' ends on 2027-02-18T10:00:00Z"));
        _fixture.Time.Advance(TimeSpan.FromDays(40));
        Assert.That(await IdsAsync(() => KeepAsync()), Is.EqualTo(new[] { "MT5152" }), "an expired one stops the mesh, so it is not pushed");
        File.WriteAllBytes(_fixture.Temporary + "/key", key);
        _fixture.Trust = _fixture.Trust with { RootCertificateFile = _fixture.Store.RootCertPath, RootKeyFile = _fixture.Temporary + "/key" };
        Assert.That((await RevokeAsync(new RunSpec { Clusters = [East] })).Revoked, Has.Count.EqualTo(1), "the key is brought for one run");
    }

    /// <summary>A run without the passphrase works as long as the CRL of the root is valid.</summary>
    [Test]
    public async Task An_encrypted_root_key_is_opened_only_for_what_must_be_signed()
    {
        var old = await ReplaceAsync();
        var file = _fixture.Temporary + "/passphrase";
        await File.WriteAllTextAsync(file, "secret");
        var (locked, open) = (_fixture.Trust, _fixture.Trust with { RootPassphrase = new(file) });
        _fixture.Trust = open;
        await _fixture.RootAsync();
        _fixture.Trust = locked;
        Assert.That(await IdsAsync(RenewAsync), Is.EqualTo(new[] { "MT5142" }));
        _fixture.Trust = open;
        await RevokeAsync(new RunSpec { Clusters = [East] });
        _fixture.Trust = locked;
        _fixture.Time.Advance(TimeSpan.FromDays(150));
        Assert.That((await KeepAsync())!.Issued, Is.EqualTo(3), "all but the root's");
        Assert.That(Fault(old.Chain), Does.Contain("revokes"));
        _fixture.Time.Advance(TimeSpan.FromDays(31));
        Assert.That(await IdsAsync(() => KeepAsync()), Is.EqualTo(new[] { "MT5142" }));
    }

    [Test]
    public async Task CAs_of_Istios_Makefile_may_not_sign_CRLs()
    {
        var root = CraftedCertificate.Root(new CraftedSpec { Usage = KeyUsage.KeyCertSign | KeyUsage.DigitalSignature });
        File.WriteAllText(_fixture.Store.RootCertPath, root.Pem);
        File.WriteAllText(_fixture.Store.RootKeyPath, root.Key.Pkcs8);
        foreach (var cluster in new[] { "east", "west" })
            foreach (var (file, text) in CraftedMesh.Files4(root, CraftedMesh.Intermediate(root, cluster, c => c with { Usage = KeyUsage.KeyCertSign })))
                File.WriteAllText(_fixture.PathOf($"{cluster}/{file}"), text);

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(RenewAsync))!;
        Assert.That(fault.Problems.Select(p => (p.Id, p.Location)), Is.EquivalentTo(new[] { ("MT5151", "east"), ("MT5151", "west"), ("MT5151", "O=Istio, CN=Root CA") }));
        Assert.That(File.Exists(_fixture.Store.CrlPath), Is.False);
    }

    [TestCase("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")]
    [TestCase("")]
    public async Task A_damaged_file_is_never_replaced(string text)
    {
        File.WriteAllText(_fixture.Store.CrlPath, text);
        Assert.That(await IdsAsync(() => KeepAsync()), Has.All.EqualTo("MT5150").Or.All.EqualTo("MT5152"));
        Assert.That(await IdsAsync(RenewAsync), Does.Contain("MT5150"));
        Assert.That(File.ReadAllText(_fixture.Store.CrlPath), Is.EqualTo(text));
    }

    private IReadOnlyList<ClusterCacerts> Clusters => [_fixture.Store.ReadCacerts(East), _fixture.Store.ReadCacerts(ClusterName.Parse("west"))];

    private MeshTopology Topology => _fixture.Topology("east", "west");

    private Task<CrlOutcome?> KeepAsync() => CrlIssuer.KeepAsync(_fixture.Store, Topology, _fixture.Time, default);

    private Task<CrlOutcome> RenewAsync() => CrlIssuer.RenewAsync(_fixture.Store, Topology, _fixture.Time, default);

    private Task<CrlOutcome> RevokeAsync(RunSpec run) => CrlIssuer.RevokeAsync(_fixture.Store, Topology, run, _fixture.Time, default);

    private string? Fault(IReadOnlyList<CertificateDocument> path) => _fixture.Store.ReadCrls()!.Fault(path, _fixture.Time.GetUtcNow());

    private static async Task<IEnumerable<string>> IdsAsync(Func<Task> act) => (await Assert.ThrowsAsync<MeshTrustException>(() => act()))!.Problems.Select(p => p.Id);

    /// <summary>As RotateIntermediates replaces it.</summary>
    private async Task<ClusterCacerts> ReplaceAsync()
    {
        var old = _fixture.Store.ReadCacerts(East);
        _fixture.Store.SavePrevious(East);
        await IntermediateCaIssuer.RenewAsync(_fixture.Store, Topology, East, _fixture.Keys, _fixture.Time, default);
        return old;
    }
}
