using MeshTrust.Checks;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Pkcs;

namespace MeshTrust.Tests.Pki;

/// <summary>Requests for a company's CA, and what it signed: taken if it fits its key, its profile and the root, all or nothing.</summary>
[TestFixture]
public sealed class OfflineRootTests
{
    private static readonly ClusterName East = ClusterName.Parse("east");
    private static readonly ClusterName West = ClusterName.Parse("west");
    private static readonly CraftedCertificate Root = Ca(null, "Corporate Root");
    private static readonly CraftedCertificate Policy = Ca(Root, "Policy CA");
    private static readonly CraftedCertificate Issuing = Ca(Policy, "Issuing CA");
    private static readonly CraftedCertificate OtherRoot = Ca(null, "Other Root");
    private StoreFixture _fixture = null!;
    private CertificateRequests _requests = null!;

    [SetUp]
    public void SetUp()
    {
        _fixture = new StoreFixture();
        _requests = new CertificateRequests(_fixture.Store);
    }

    [TearDown]
    public void TearDown() => _fixture?.Dispose();

    private static CraftedCertificate Ca(CraftedCertificate? issuer, string name, Func<CraftedSpec, CraftedSpec>? change = null)
    {
        var spec = new CraftedSpec
        {
            Subject = ["O=Corp", $"CN={name}"], NotBefore = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), NotAfter = new(2036, 1, 1, 0, 0, 0, TimeSpan.Zero),
        };
        spec = change?.Invoke(spec) ?? spec;
        return issuer is null ? CraftedCertificate.Root(spec) : issuer.Sign(spec);
    }

    private Task<IReadOnlyList<IssueOutcome<PendingRequest>>> RequestAsync(params ClusterName[] chosen) =>
        _requests.EnsureAsync(_fixture.Topology("east", "west"), chosen, _fixture.Keys, _fixture.Time, default);

    private async Task<IReadOnlyList<IssueOutcome<ClusterCacerts>>> ImportAsync(string text, params ClusterName[] chosen) =>
        await new CertificateImport(
            _fixture.Store, _fixture.Topology("east", "west"), chain => ImportChecks.Judge(chain, _fixture.Time.GetUtcNow()), _fixture.Time)
            .RunAsync(chosen, [PemFile.Parse("signed.pem", System.Text.Encoding.ASCII.GetBytes(text))], default);

    /// <summary>What the company's CA makes of a request.</summary>
    private CraftedCertificate Sign(ClusterName cluster, CraftedCertificate issuer, Func<CraftedSpec, CraftedSpec>? change = null)
    {
        var key = CraftedKey.FromPem(File.ReadAllText(_requests.PathOf(cluster, "ca-key.pem")));
        return Ca(issuer, "", s => (change ?? (same => same))(
            s with { Subject = ["O=Istio", "CN=Intermediate CA", $"L={cluster}"], Key = key, PathLength = 0, NotAfter = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero) }));
    }

    private static string Pem(params CraftedCertificate[] certificates) => string.Concat(certificates.Select(c => c.Pem));

    private IReadOnlyDictionary<string, string> Content() => Directory.EnumerateFiles(_fixture.Temporary, "*.*", SearchOption.AllDirectories)
        .Where(f => f != _fixture.Store.LockPath).ToDictionary(f => f, File.ReadAllText);

    [Test]
    public async Task A_request_has_the_profile_and_is_kept_with_its_key()
    {
        var first = await RequestAsync();
        Assert.That(first.Select(o => (o.Kind, o.Material.Cluster)), Is.EqualTo(new[] { (IssueKind.Issued, East), (IssueKind.Issued, West) }));
        var info = Read();
        var extensions = X509Extensions.GetInstance(Org.BouncyCastle.Asn1.Cms.Attribute.GetInstance(info.Attributes[0]).AttrValues[0]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(info.Subject.ToString(), Is.EqualTo("O=Istio,CN=Intermediate CA,L=east"));
            Assert.That(BasicConstraints.FromExtensions(extensions), Is.EqualTo(new BasicConstraints(0)));
            Assert.That(KeyUsage.FromExtensions(extensions).IntValue, Is.EqualTo(KeyUsage.KeyCertSign | KeyUsage.CrlSign | KeyUsage.DigitalSignature));
            Assert.That(GeneralNames.FromExtensions(extensions, X509Extensions.SubjectAlternativeName).GetNames().Single().Name.ToString(), Is.EqualTo("istiod.istio-system.svc"));
            if (!OperatingSystem.IsWindows())
            {
                Assert.That(StoreFixture.ModeOf(_requests.PathOf(East, "ca-key.pem")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
                Assert.That(StoreFixture.ModeOf(_requests.Location), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
            }
        }

        var before = Content();
        Assert.That((await RequestAsync()).Select(o => o.Kind), Is.All.EqualTo(IssueKind.Kept));
        Assert.That(Content(), Is.EquivalentTo(before));

        // Other options: another request for the same key. Another key type: another key; the old one stays beside it.
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Organization = "Acme" } };
        Assert.That((await RequestAsync(East)).Single().Kind, Is.EqualTo(IssueKind.Reissued));
        Assert.That((Read().Subject.ToString(), Content()[_requests.PathOf(East, "ca-key.pem")]), Is.EqualTo(("O=Acme,CN=Intermediate CA,L=east", before[_requests.PathOf(East, "ca-key.pem")])));
        _fixture.Trust = StoreFixture.QuickTrust(intermediate: KeyAlgorithm.EcdsaP384);
        await RequestAsync(East);
        Assert.That(_requests.ReadKey(East, out _)!.KeyAlgorithm, Is.EqualTo(KeyAlgorithm.EcdsaP384));
        Assert.That(Content().Values, Does.Contain(before[_requests.PathOf(East, "ca-key.pem")]));

        Org.BouncyCastle.Asn1.Pkcs.CertificationRequestInfo Read()
        {
            using var reader = new Org.BouncyCastle.OpenSsl.PemReader(File.OpenText(_requests.PathOf(East)));
            var request = (Pkcs10CertificationRequest)reader.ReadObject();
            Assert.That(request.Verify(), Is.True);
            return request.GetCertificationRequestInfo();
        }
    }

    [Test]
    public async Task No_root_is_created_while_requests_wait()
    {
        await RequestAsync();
        var fault = await Assert.ThrowsAsync<MeshTrustException>(_fixture.RootAsync);
        Assert.That(fault!.Problems.Select(p => (p.Id, p.Location)), Is.EqualTo(new[] { ("MT5134", _requests.Location) }));
        Assert.That(_fixture.Content(), Is.Empty);
    }

    [Test]
    public async Task Accepts_a_chain_of_any_depth_in_any_order_and_then_needs_no_root_key()
    {
        await RequestAsync();
        var signed = Pem(Root, Sign(West, Issuing), Policy, Sign(East, Issuing), Issuing);
        var imported = await ImportAsync(signed);
        Assert.That(imported.Select(o => (o.Kind, o.Notes.Count)), Is.All.EqualTo((IssueKind.Imported, 0)));
        Assert.That(imported[0].Material.Chain.Skip(1), Is.EqualTo(new[] { Issuing.Document, Policy.Document, Root.Document }));
        Assert.That(Directory.Exists(_requests.Location), Is.False, "the keys moved");
        Assert.That(_fixture.Store.ReadRoot().Certificate, Is.EqualTo(Root.Document));
        Assert.That(File.Exists(_fixture.Store.RootKeyPath), Is.False);

        var before = Content();
        Assert.That((await _fixture.RootAsync()).Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That((await _fixture.ClustersAsync("east", "west")).Select(o => (o.Kind, o.Notes.Count)), Is.All.EqualTo((IssueKind.Kept, 0)));
        Assert.That((await ImportAsync(signed)).Select(o => o.Kind), Is.All.EqualTo(IssueKind.Kept), "again");
        Assert.That(await RequestAsync(), Is.Empty);
        Assert.That(Content(), Is.EquivalentTo(before));
    }

    private static IEnumerable<TestCaseData> Misfits()
    {
        yield return Case("another key", t => Pem(t.Sign(East, Issuing, s => s with { Key = CraftedKey.Curve() }), Issuing, Policy, Root), "MT5131");
        yield return Case("nothing of the cluster", _ => Pem(Issuing, Policy, Root), "MT5131");
        yield return Case("no CA", t => Signed(t, s => s with { Ca = false, PathLength = null }), "MT5008");
        yield return Case("no keyCertSign", t => Signed(t, s => s with { Usage = KeyUsage.DigitalSignature | KeyUsage.CrlSign }), "MT5008");
        yield return Case("path length of the issuer", t => Below(t, Ca(Policy, "Issuing CA", s => s with { PathLength = 0 })), "MT5009");
        yield return Case("expired", t => Signed(t, s => s with { NotAfter = new(2026, 8, 1, 0, 0, 0, TimeSpan.Zero) }), "MT5010");
        yield return Case("outlives its issuer", t => Below(t, Ca(Policy, "Issuing CA", s => s with { NotAfter = new(2029, 1, 1, 0, 0, 0, TimeSpan.Zero) })), "MT5011");
        yield return Case("signed with SHA-1", t => Below(t, Issuing, s => s with { Algorithm = "SHA1WITHECDSA" }), "MT5020");
        yield return Case("extended key usage", t => Signed(t, s => s with { Purposes = [KeyPurposeID.id_kp_codeSigning] }), "MT5018");
        yield return Case("name constraints", t => Below(t, Ca(Policy, "Issuing CA", s => s with { Permitted = [new GeneralName(GeneralName.UniformResourceIdentifier, "corp.example")] })), "MT5118");
        yield return Case("another issuer's key id", t => Signed(t, s => s with { AuthorityKeyIdValue = new byte[20] }), "MT5019");
        yield return Case("another subject", t => Signed(t, s => s with { Subject = ["O=Istio", "CN=Intermediate CA"] }), "MT5133");
        yield return Case("no issuing CA", t => Pem(t.Sign(East, Issuing), Policy, Root), "MT5132");
        yield return Case("no root", t => Pem(t.Sign(East, Issuing), Issuing, Policy), "MT5132");
        yield return Case("a damaged file", t => Signed(t) + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "MT5102");
        yield return Case("everything at once", t => Signed(t, s => s with { Subject = ["CN=x"], Ca = false, PathLength = null, NotAfter = new(2040, 1, 1, 0, 0, 0, TimeSpan.Zero) }), "MT5008", "MT5011", "MT5133");

        static string Signed(OfflineRootTests t, Func<CraftedSpec, CraftedSpec>? change = null) => Below(t, Issuing, change);
        static string Below(OfflineRootTests t, CraftedCertificate issuing, Func<CraftedSpec, CraftedSpec>? change = null) => Pem(t.Sign(East, issuing, change), issuing, Policy, Root);
        static TestCaseData Case(string name, Func<OfflineRootTests, string> signed, params string[] ids) => new TestCaseData(signed, ids).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Misfits))]
    public async Task Rejects_what_does_not_match_and_writes_nothing(Delegate make, string[] ids)
    {
        await RequestAsync(East);
        var before = Content();
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => ImportAsync(((Func<OfflineRootTests, string>)make)(this)));
        Assert.That(fault!.Problems.Where(p => p.Severity == Severity.Error).Select(p => p.Id).Distinct().Order(), Is.EqualTo(ids), fault.Message);
        Assert.That(Content(), Is.EquivalentTo(before));
        foreach (var line in CraftedKey.Lines(File.ReadAllBytes(_requests.PathOf(East, "ca-key.pem")))) Assert.That(fault.ToString(), Does.Not.Contain(line));
    }

    [Test]
    public async Task All_clusters_have_the_root_of_the_mesh()
    {
        await RequestAsync();
        var mixed = Pem(Sign(East, Issuing), Issuing, Policy, Root, Sign(West, OtherRoot), OtherRoot);
        Assert.That(await IdsAsync(mixed), Is.EqualTo(new[] { "MT5110" }));
        await ImportAsync(mixed, East);
        Assert.That(await IdsAsync(Pem(Sign(West, OtherRoot), OtherRoot)), Is.EqualTo(new[] { "MT5110" }), "the store has a root");
        Assert.That((await ImportAsync(Pem(Sign(West, Root)))).Single().Kind, Is.EqualTo(IssueKind.Imported), "the store knows the root");

        async Task<IEnumerable<string>> IdsAsync(string signed) => (await Assert.ThrowsAsync<MeshTrustException>(() => ImportAsync(signed)))!.Problems.Select(p => p.Id);
    }

    [Test]
    public async Task Renews_what_is_due_or_chosen_and_keeps_root_cert_pem()
    {
        await RequestAsync();
        await ImportAsync(Pem(Sign(East, Issuing, s => s with { NotAfter = new(2026, 9, 10, 0, 0, 0, TimeSpan.Zero) }), Sign(West, Issuing), Issuing, Policy, Root));
        var (root, key) = (Content()[_fixture.PathOf("east/root-cert.pem")], Content()[_fixture.PathOf("east/ca-key.pem")]);
        Assert.That((await RequestAsync()).Select(o => o.Material.Cluster), Is.EqualTo(new[] { East }), "19 days are left");
        Assert.That((await RequestAsync(West)).Single().Kind, Is.EqualTo(IssueKind.Issued), "chosen");
        _requests.Remove(West);

        // The CA returns the certificate alone: the store knows the rest.
        var renewed = (await ImportAsync(Pem(Sign(East, Issuing)))).Single();
        Assert.That((renewed.Kind, renewed.Replaced.Count, renewed.Material.Chain.Count), Is.EqualTo((IssueKind.Imported, 3, 4)));
        Assert.That((Content()[_fixture.PathOf("east/root-cert.pem")], Content()[_fixture.PathOf("east/ca-key.pem")]), Is.EqualTo((root, Content()[_fixture.PathOf("east/ca-key.pem")])).And.Not.EqualTo((root, key)));
    }

    [Test]
    public async Task A_run_that_was_killed_between_two_writes_is_completed()
    {
        await RequestAsync();
        var (waiting, signed) = (Content(), Pem(Sign(East, Issuing), Sign(West, Issuing), Issuing, Policy, Root));
        await ImportAsync(signed);
        var whole = Content();
        Directory.Delete(_fixture.PathOf("west"), recursive: true);
        foreach (var (file, text) in waiting)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        Assert.That((await ImportAsync(signed)).Select(o => o.Kind), Is.EqualTo(new[] { IssueKind.Kept, IssueKind.Imported }));
        Assert.That(Content(), Is.EquivalentTo(whole));
    }

    [Test]
    public async Task Says_what_the_certificate_lacks_without_harm()
    {
        await RequestAsync(East);
        var outcome = (await ImportAsync(Pem(Sign(East, Issuing, s => s with { PathLength = null, Usage = KeyUsage.KeyCertSign }), Issuing, Policy, Root))).Single();
        Assert.That(outcome.Notes.Count(n => n.StartsWith("MT5133", StringComparison.Ordinal)), Is.EqualTo(2));
    }
}
