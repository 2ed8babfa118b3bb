using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Pki;

[TestFixture]
public sealed class IntermediateCaIssuerTests
{
    private StoreFixture _fixture = null!;

    [SetUp]
    public void SetUp() => _fixture = new StoreFixture();

    [TearDown]
    public void TearDown() => _fixture?.Dispose();

    private async Task<IssueOutcome<ClusterCacerts>> AgainAsync() => (await _fixture.ClustersAsync("east")).Single();

    [Test]
    public async Task Issues_the_same_as_the_Makefile_without_its_defects()
    {
        var root = (await _fixture.RootAsync()).Material;
        var outcome = await AgainAsync();
        var certificate = outcome.Material.Certificate;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outcome.Kind, Is.EqualTo(IssueKind.Issued));
            Assert.That(certificate.Subject, Is.EqualTo("O=Istio, CN=Intermediate CA, L=east"));
            Assert.That(certificate.SubjectAttributes.Select(a => a.StringType).Distinct(), Is.EqualTo(new[] { "UTF8String" }));
            Assert.That(certificate.RawIssuer.ToArray(), Is.EqualTo(root.Certificate.RawSubject.ToArray()));
            Assert.That(certificate.PathLength, Is.Zero);
            Assert.That(certificate.KeyUsage, Is.EqualTo(CertificateKeyUsage.KeyCertSign | CertificateKeyUsage.CrlSign | CertificateKeyUsage.DigitalSignature));
            Assert.That(certificate.AuthorityKeyId, Is.EqualTo(root.Certificate.SubjectKeyId));
            Assert.That(certificate.AuthorityNamesIssuerAndSerial, Is.False);
            Assert.That(certificate.DnsNames, Is.EqualTo(new[] { "istiod.istio-system.svc" }));
            Assert.That(certificate.CriticalExtensionOids.Contains("2.5.29.17"), Is.False);
            Assert.That(certificate.NotBefore, Is.EqualTo(root.Certificate.NotBefore));
            Assert.That(certificate.NotAfter, Is.EqualTo(root.Certificate.NotAfter));
            Assert.That(outcome.ClampedFrom, Is.Null);
            Assert.That(File.ReadAllText(_fixture.PathOf("east/cert-chain.pem")), Is.EqualTo(certificate.ToPem() + root.Certificate.ToPem()));
            Assert.That(File.ReadAllBytes(_fixture.PathOf("east/root-cert.pem")), Is.EqualTo(File.ReadAllBytes(_fixture.Store.RootCertPath)));
            Assert.That(File.ReadAllBytes(_fixture.PathOf("east/ca-key.pem")), Is.EqualTo(outcome.Material.ToFiles()["ca-key.pem"].ToArray()));
        }
    }

    [Test]
    public async Task What_was_issued_can_be_read_back()
    {
        var issued = await _fixture.OneClusterAsync();
        var read = _fixture.Store.ReadCacerts(ClusterName.Parse("east"));
        Assert.That(read.Chain, Is.EqualTo(issued.Chain));
        Assert.That(read.ChainHasRoot, Is.True);
        Assert.That(read.Key.Matches(issued.Certificate), Is.True);
    }

    [Test]
    public async Task Keeps_everything_byte_for_byte()
    {
        await _fixture.RootAsync();
        await _fixture.ClustersAsync("east", "west");
        var before = _fixture.Content();
        _fixture.Time.Advance(TimeSpan.FromDays(1000));
        var outcomes = await _fixture.ClustersAsync("east", "west");
        Assert.That(outcomes.Select(o => o.Kind), Is.All.EqualTo(IssueKind.Kept));
        Assert.That(_fixture.Content(), Is.EquivalentTo(before));
    }

    [Test]
    public async Task Keeps_the_order_of_the_topology_and_gives_each_its_own_key()
    {
        await _fixture.RootAsync();
        string[] names = [.. Enumerable.Range(1, 40).Select(i => $"c{i}")];
        var outcomes = await _fixture.ClustersAsync(names);
        Assert.That(outcomes.Select(o => o.Material.Cluster.Value), Is.EqualTo(names));
        Assert.That(outcomes.Select(o => o.Material.Key.KeyId), Is.Unique);
        Assert.That(outcomes.Select(o => o.Material.Certificate.SerialNumber), Is.Unique);
        Assert.That(Directory.GetFileSystemEntries(_fixture.Store.Location, TrustStore.TemporaryPattern), Is.Empty);
    }

    [Test]
    public async Task Reports_the_capped_expiry_when_the_root_expires_first()
    {
        await _fixture.RootAsync();
        _fixture.Time.Advance(TimeSpan.FromDays(1));
        var outcome = await AgainAsync();
        Assert.That(outcome.Material.Certificate.NotAfter, Is.EqualTo(outcome.Material.Root.NotAfter));
        Assert.That(outcome.ClampedFrom, Is.EqualTo(outcome.Material.Root.NotAfter.AddDays(1)));
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Kept), "a capped lifetime is not a difference");
    }

    [TestCase("ca-cert.pem")]
    [TestCase("cert-chain.pem")]
    [TestCase("root-cert.pem")]
    public async Task Rewrites_a_missing_or_broken_certificate_file_and_keeps_the_key(string file)
    {
        await _fixture.OneClusterAsync();
        var sound = _fixture.Content();
        var before = File.ReadAllBytes(_fixture.PathOf($"east/{file}"));
        File.Delete(_fixture.PathOf($"east/{file}"));
        var missing = await AgainAsync();
        Assert.That((missing.Kind, missing.Replaced), Is.EqualTo((IssueKind.Rechained, Array.Empty<string>())), missing.Reason);
        Assert.That(missing.Reason, Does.Contain($"east/{file}: It is missing.").And.Contain($"{file} is rewritten; the key and its certificate do not change."));
        Assert.That(_fixture.Content(), Is.EquivalentTo(sound));
        File.WriteAllBytes(_fixture.PathOf($"east/{file}"), before[..100]);
        var broken = await AgainAsync();
        Assert.That(broken.Kind, Is.EqualTo(IssueKind.Rechained), broken.Reason);
        Assert.That(File.ReadAllBytes(_fixture.PathOf($"east/{file}")), Is.EqualTo(before));
        Assert.That(File.ReadAllBytes(broken.Replaced.Single()), Is.EqualTo(before[..100]));
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Kept));
    }

    [Test]
    public async Task Reissues_if_the_key_is_missing_or_broken_and_keeps_the_replaced_files()
    {
        var first = await _fixture.OneClusterAsync();
        File.Delete(_fixture.PathOf("east/ca-key.pem"));
        var missing = await AgainAsync();
        Assert.That(missing.Kind, Is.EqualTo(IssueKind.Reissued));
        Assert.That(missing.Reason, Does.Contain("east/ca-key.pem: It is missing."));
        Assert.That(missing.Replaced.Select(Path.GetFileName), Is.EquivalentTo(new[] { "ca-cert.pem.20260822T100000500Z.old", "cert-chain.pem.20260822T100000500Z.old", "root-cert.pem.20260822T100000500Z.old" }));
        Assert.That(File.ReadAllBytes(missing.Replaced.Single(p => p.Contains("ca-cert", StringComparison.Ordinal))), Is.EqualTo(first.ToFiles()["ca-cert.pem"].ToArray()));

        _fixture.Time.Advance(TimeSpan.FromMinutes(1));
        var half = missing.Material.ToFiles()["ca-key.pem"].ToArray()[..100];
        File.WriteAllBytes(_fixture.PathOf("east/ca-key.pem"), half);
        var broken = await AgainAsync();
        Assert.That(broken.Kind, Is.EqualTo(IssueKind.Reissued));
        var kept = broken.Replaced.Single(p => p.Contains("ca-key", StringComparison.Ordinal));
        Assert.That(File.ReadAllBytes(kept), Is.EqualTo(half));
        if (!OperatingSystem.IsWindows()) Assert.That(broken.Replaced.Select(StoreFixture.ModeOf), Is.All.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Kept));

        Assert.That(_fixture.Store.RemoveReplaced([ClusterName.Parse("east")], _fixture.Time.GetUtcNow()), Is.EqualTo(3), "what was replaced after the clusters were read is not proven yet");
        Assert.That(_fixture.Store.RemoveReplaced([ClusterName.Parse("east")], _fixture.Time.GetUtcNow().AddMinutes(1)), Is.EqualTo(4));
        Assert.That(Directory.EnumerateFiles(_fixture.PathOf("east")).Select(Path.GetFileName), Is.EquivalentTo(CacertsFile.OfCluster));
    }

    private static string Headers(CertificateDocument certificate) => $"Certificate:\n    Data:\n        Version: 3 (0x2)\n        Subject: {certificate.Subject}\n" + certificate.ToPem();

    /// <summary>Forms that openssl and manual edits produce. In all of them, key and certificate are valid.</summary>
    private static IEnumerable<TestCaseData> Forms()
    {
        yield return Form("openssl x509 -text in the chain", "cert-chain.pem", c => Headers(c.Certificate) + Headers(c.Root));
        yield return Form("the root before the intermediate", "cert-chain.pem", c => c.Root.ToPem() + c.Certificate.ToPem());
        yield return Form("only the root in the chain", "cert-chain.pem", c => c.Root.ToPem());
        yield return Form("blocks glued together", "cert-chain.pem", c => c.Certificate.ToPem().TrimEnd() + c.Root.ToPem());
        yield return Form("a byte order mark", "cert-chain.pem", c => "\uFEFF" + c.Certificate.ToPem() + c.Root.ToPem());
        yield return Form("an empty chain", "cert-chain.pem", _ => "");
        yield return Form("openssl x509 -text behind the certificate", "ca-cert.pem", c => c.Certificate.ToPem() + "    Data:\n");
        yield return Form("the root before the certificate", "ca-cert.pem", c => c.Root.ToPem() + c.Certificate.ToPem());
        yield return Form("text behind the root", "root-cert.pem", c => c.Root.ToPem() + "the mesh's root\n");
        yield return Form("EC PARAMETERS before the key", "ca-key.pem", c => "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + Key(c));
        yield return Form("the certificate behind the key", "ca-key.pem", c => Key(c) + c.Certificate.ToPem());
        yield return Form("text behind the key", "ca-key.pem", c => Key(c) + "# east\n");
    }

    private static string Key(ClusterCacerts cacerts) => System.Text.Encoding.ASCII.GetString(cacerts.ToFiles()["ca-key.pem"].Span);

    private static TestCaseData Form(string name, string file, Func<ClusterCacerts, string> text) => new TestCaseData(file, text).SetArgDisplayNames(name);

    [TestCaseSource(nameof(Forms))]
    public async Task Fixes_the_form_of_one_file_and_destroys_no_key(string file, Func<ClusterCacerts, string> text)
    {
        var issued = await _fixture.OneClusterAsync();
        var sound = _fixture.Content();
        File.WriteAllText(_fixture.PathOf($"east/{file}"), text(issued));

        var outcome = await AgainAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(outcome.Kind, Is.EqualTo(IssueKind.Rechained), outcome.Reason);
            Assert.That(outcome.Material.Certificate, Is.EqualTo(issued.Certificate));
            Assert.That(outcome.Reason!.Length, Is.LessThan(300), "one sentence, however many lines are wrong");
            Assert.That(File.ReadAllText(outcome.Replaced.Single()), Is.EqualTo(text(issued).TrimStart('\uFEFF')));
            Assert.That(_fixture.Content().Where(f => !f.Key.EndsWith(".old", StringComparison.Ordinal)), Is.EquivalentTo(sound));
        }

        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Kept));
    }

    [Test]
    public async Task Keeps_the_other_roots_of_a_bundle_whose_form_is_fixed()
    {
        var issued = await _fixture.OneClusterAsync();
        using var other = new StoreFixture();
        var second = (await other.RootAsync()).Material.Certificate;
        File.WriteAllText(_fixture.PathOf("east/root-cert.pem"), issued.Root.ToPem() + "# the next one\n" + second.ToPem());
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Rechained));
        Assert.That(File.ReadAllText(_fixture.PathOf("east/root-cert.pem")), Is.EqualTo(issued.Root.ToPem() + second.ToPem()));
    }

    [Test]
    public async Task Reissues_under_a_new_root_only_what_it_did_not_issue()
    {
        await _fixture.RootAsync();
        await _fixture.ClustersAsync("east", "west");
        using var other = new StoreFixture();
        await other.RootAsync();
        await other.ClustersAsync("west");
        foreach (var file in new[] { "root-cert.pem", "root-key.pem", "west/ca-cert.pem", "west/ca-key.pem", "west/cert-chain.pem", "west/root-cert.pem" })
        {
            File.Copy(other.PathOf(file), _fixture.PathOf(file), overwrite: true);
        }

        var outcomes = await _fixture.ClustersAsync("east", "west");
        Assert.That(outcomes.Select(o => o.Kind), Is.EqualTo(new[] { IssueKind.Reissued, IssueKind.Kept }));
        Assert.That(outcomes[0].Reason, Does.Contain("another root"));
        Assert.That(File.ReadAllBytes(_fixture.PathOf("east/root-cert.pem")), Is.EqualTo(File.ReadAllBytes(_fixture.Store.RootCertPath)));
    }

    [Test]
    public async Task Reissues_near_the_end_and_leaves_root_cert_pem_as_it_is()
    {
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Days = 100 } };
        await _fixture.OneClusterAsync();
        // A comment that was added manually: istiod would drop the whole update if it disappeared.
        var commented = "the mesh's root\n" + File.ReadAllText(_fixture.PathOf("east/root-cert.pem"));
        File.WriteAllText(_fixture.PathOf("east/root-cert.pem"), commented);
        _fixture.Time.Advance(TimeSpan.FromDays(69));
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Kept));
        _fixture.Time.Advance(TimeSpan.FromDays(2));
        var outcome = await AgainAsync();
        Assert.That(outcome.Kind, Is.EqualTo(IssueKind.Reissued));
        Assert.That(outcome.Reason, Does.Contain("within 30d"));
        Assert.That(File.ReadAllText(_fixture.PathOf("east/root-cert.pem")), Is.EqualTo(commented));
    }

    [Test]
    public async Task Honours_a_threshold_in_percent()
    {
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Days = 100 }, RenewBefore = new RenewalThreshold { Percent = 50 } };
        await _fixture.OneClusterAsync();
        _fixture.Time.Advance(TimeSpan.FromDays(49));
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Kept));
        _fixture.Time.Advance(TimeSpan.FromDays(2));
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Reissued));
    }

    [Test]
    public async Task Does_not_reissue_in_every_run_if_the_threshold_is_longer_than_the_lifetime()
    {
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Days = 9 } };
        await _fixture.OneClusterAsync();
        _fixture.Time.Advance(TimeSpan.FromDays(5));
        var kept = await AgainAsync();
        Assert.That(kept.Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That(kept.Notes.Single(), Does.Contain("--renew-before"));
        _fixture.Time.Advance(TimeSpan.FromDays(2));
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Reissued), "in the last third it is renewed all the same");
    }

    [Test]
    public async Task Keeps_an_intermediate_that_expires_with_its_root()
    {
        await _fixture.OneClusterAsync();
        _fixture.Time.Advance(TimeSpan.FromDays(3649));
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Kept));
    }

    [Test]
    public async Task Names_every_option_that_changed()
    {
        await _fixture.OneClusterAsync();
        _fixture.Trust = _fixture.Trust with { Intermediate = new CertificateAuthoritySpec { CommonName = "New", Organization = "Acme", Days = 365, Key = KeyAlgorithm.EcdsaP384, DnsNames = ["istiod.mesh.svc"] } };
        var outcome = await AgainAsync();
        Assert.That(outcome.Kind, Is.EqualTo(IssueKind.Reissued));
        Assert.That(outcome.Reason, Does.Contain("CN is 'Intermediate CA'").And.Contain("O is 'Istio'").And.Contain("365").And.Contain("P-384").And.Contain("istiod.mesh.svc"));
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Kept));
    }

    [Test]
    public async Task Rewrites_the_chain_in_the_other_form_and_keeps_the_key()
    {
        var before = await _fixture.OneClusterAsync();
        _fixture.Trust = _fixture.Trust with { MinimalChain = true };
        var outcome = await AgainAsync();
        Assert.That(outcome.Kind, Is.EqualTo(IssueKind.Rechained));
        Assert.That(outcome.Material.Certificate, Is.EqualTo(before.Certificate));
        Assert.That(File.ReadAllText(_fixture.PathOf("east/cert-chain.pem")), Is.EqualTo(before.Certificate.ToPem()));
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Kept));
        _fixture.Trust = _fixture.Trust with { MinimalChain = false };
        Assert.That((await AgainAsync()).Kind, Is.EqualTo(IssueKind.Rechained));
        Assert.That(File.ReadAllBytes(_fixture.PathOf("east/cert-chain.pem")), Is.EqualTo(before.CertChain.ToArray()));
    }

    [Test]
    public async Task Needs_a_root()
    {
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => _fixture.ClustersAsync("east"));
        Assert.That(fault!.Problems.Single().Id, Is.EqualTo("MT5116"));
    }

    [Test]
    public async Task Reports_the_problems_of_all_clusters_and_issues_the_others()
    {
        await _fixture.RootAsync();
        File.WriteAllText(_fixture.PathOf("east"), "a file");
        File.WriteAllText(_fixture.PathOf("west"), "a file");
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => _fixture.ClustersAsync("east", "north", "west"));
        Assert.That(fault!.Problems.Select(p => (p.Id, p.Location)), Is.EqualTo(new[] { ("MT1003", _fixture.PathOf("east")), ("MT1003", _fixture.PathOf("west")) }));
        Assert.That(File.Exists(_fixture.PathOf("north/ca-cert.pem")), Is.True);
        Assert.That(File.ReadAllText(_fixture.PathOf("east")), Is.EqualTo("a file"));
    }

    [Test]
    public async Task Leaves_other_files_and_other_clusters_alone()
    {
        await _fixture.RootAsync();
        await _fixture.ClustersAsync("east", "west");
        File.WriteAllText(_fixture.PathOf("east/notes.txt"), "mine");
        var west = File.ReadAllBytes(_fixture.PathOf("west/ca-key.pem"));
        File.Delete(_fixture.PathOf("east/ca-key.pem"));
        await _fixture.ClustersAsync("east");
        Assert.That(File.ReadAllText(_fixture.PathOf("east/notes.txt")), Is.EqualTo("mine"));
        Assert.That(File.ReadAllBytes(_fixture.PathOf("west/ca-key.pem")), Is.EqualTo(west));
    }
}
