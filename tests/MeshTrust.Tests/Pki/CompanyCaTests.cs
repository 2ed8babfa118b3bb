using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Tests.Pki;

/// <summary>CA material of a company's CA: cluster folders without a root key, an issuing intermediate, name constraints, renewals.</summary>
[TestFixture]
public sealed class CompanyCaTests
{
    private static readonly CraftedCertificate Root = Ca(null, "Corporate Root");
    private static readonly CraftedCertificate Policy = Ca(Root, "Policy CA");
    private static readonly CraftedCertificate Issuing = Ca(Policy, "Issuing CA");
    private static readonly CraftedCertificate Istio = Ca(Issuing, "Istio CA east");
    private StoreFixture _fixture = null!;

    [SetUp]
    public void SetUp() => _fixture = new StoreFixture();

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

    private void Write(string file, params CraftedCertificate[] certificates) => WriteText(file, string.Concat(certificates.Select(c => c.Pem)));

    private void WriteText(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_fixture.PathOf(file))!);
        File.WriteAllText(_fixture.PathOf(file), text);
    }

    private void WriteCluster(string cluster, CraftedCertificate ca, CraftedCertificate[] chain, CraftedCertificate[] roots)
    {
        Write($"{cluster}/ca-cert.pem", ca);
        WriteText($"{cluster}/ca-key.pem", ca.Key.Pkcs8);
        Write($"{cluster}/cert-chain.pem", chain);
        Write($"{cluster}/root-cert.pem", roots);
    }

    private static async Task<Problem> ProblemAsync(Func<Task> act) => (await Assert.ThrowsAsync<MeshTrustException>(act))!.Problems.Single();

    private static readonly CraftedCertificate Next = Ca(null, "Next Root");

    private static IEnumerable<TestCaseData> Layouts()
    {
        yield return Layout("the whole chain with the root", [Istio, Issuing, Policy, Root], [Root], [Root]);
        yield return Layout("the root is not in the chain", [Istio, Issuing, Policy], [Root], [Root]);
        yield return Layout("no root-cert.pem beside the clusters", [Istio, Issuing, Policy], [Root], null);
        yield return Layout("several roots", [Istio, Issuing, Policy], [Next, Root], [Next, Root]);
        yield return Layout("several roots, of which the store names one", [Istio, Issuing, Policy], [Next, Root], [Root]);
        yield return Layout("the issuing CA as the anchor", [Istio, Issuing], [Issuing], [Issuing]);
        yield return Layout("the issuing CA as the anchor, with the CAs above it in the chain", [Istio, Issuing, Policy, Root], [Issuing], null);
        yield return Layout("the issuing CA as the anchor, not in the chain", [Istio], [Issuing], [Issuing]);
        yield return Layout("the issuing CA beside the root", [Istio, Issuing, Policy], [Issuing, Root], [Issuing, Root]);
        yield return Layout("a renewed certificate of the root", [Istio, Issuing, Policy], [Ca(null, "Corporate Root", s => s with { Key = Root.Key }), Root], null);
    }

    private static TestCaseData Layout(string name, CraftedCertificate[] chain, CraftedCertificate[] roots, CraftedCertificate[]? store) =>
        new TestCaseData(chain, roots, store).SetArgDisplayNames(name);

    [TestCaseSource(nameof(Layouts))]
    public async Task Keeps_complete_clusters_without_a_root_key(object[] chain, object[] roots, object[]? store)
    {
        WriteCluster("east", Istio, [.. chain.Cast<CraftedCertificate>()], [.. roots.Cast<CraftedCertificate>()]);
        if (store is not null) Write("root-cert.pem", [.. store.Cast<CraftedCertificate>()]);
        var before = _fixture.Content();

        Assert.That(_fixture.Store.MissingKeys(_fixture.Topology("east")), Is.Empty);
        Assert.That((await _fixture.RootAsync()).Kind, Is.EqualTo(IssueKind.Kept));
        var outcome = (await _fixture.ClustersAsync("east")).Single();

        Assert.That((outcome.Kind, outcome.Notes), Is.EqualTo((IssueKind.Kept, Array.Empty<string>())), outcome.Reason);
        Assert.That(_fixture.Content(), Is.EquivalentTo(before));
        Assert.That(_fixture.Store.ReadCacerts(ClusterName.Parse("east")).Certificate, Is.EqualTo(Istio.Document));
    }

    [Test]
    public async Task Keeps_its_own_clusters_when_the_root_key_is_kept_elsewhere()
    {
        await _fixture.RootAsync();
        await _fixture.ClustersAsync("east", "west");
        var key = File.ReadAllBytes(_fixture.Store.RootKeyPath);
        File.Delete(_fixture.Store.RootKeyPath);
        var before = _fixture.Content();
        Assert.That((await _fixture.RootAsync()).Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That((await _fixture.ClustersAsync("east", "west")).Select(o => (o.Kind, o.Notes.Count)), Is.All.EqualTo((IssueKind.Kept, 0)));
        Assert.That(_fixture.Content(), Is.EquivalentTo(before));

        // Other options are reported, and have no effect.
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Days = 90 } };
        Assert.That((await _fixture.ClustersAsync("east")).Single().Notes.Single(), Does.Contain("90 were requested").And.Contain("there is no root key"));
        _fixture.Trust = StoreFixture.QuickTrust();

        // One problem names everything that has to be issued, and nothing else changes.
        File.Delete(_fixture.PathOf("west/ca-key.pem"));
        var problem = await ProblemAsync(() => _fixture.ClustersAsync("east", "west", "north"));
        Assert.That((problem.Id, problem.Location), Is.EqualTo(("MT5101", _fixture.Store.RootKeyPath)));
        Assert.That(problem.Message, Does.Contain("2 clusters must get a new intermediate: west (west/ca-key.pem: It is missing); north (it has no files)"));
        Assert.That(Directory.Exists(_fixture.PathOf("north")), Is.False);

        // The key may be supplied for one run.
        var elsewhere = Path.Combine(_fixture.Temporary, "vault-key.pem");
        await File.WriteAllBytesAsync(elsewhere, key);
        _fixture.Trust = _fixture.Trust with { RootCertificateFile = _fixture.Store.RootCertPath, RootKeyFile = elsewhere };
        Assert.That((await _fixture.RootAsync()).Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That((await _fixture.ClustersAsync("east", "west", "north")).Select(o => o.Kind), Is.EqualTo(new[] { IssueKind.Kept, IssueKind.Reissued, IssueKind.Issued }));
        Assert.That(File.Exists(_fixture.Store.RootKeyPath), Is.False, "it is used, and not stored");
    }

    [Test]
    public async Task Says_when_a_key_is_needed_because_a_CA_expires()
    {
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Days = 100 } };
        await _fixture.OneClusterAsync();
        File.Delete(_fixture.Store.RootKeyPath);
        _fixture.Time.Advance(TimeSpan.FromDays(80));
        var due = (await _fixture.ClustersAsync("east")).Single();
        Assert.That((due.Kind, due.Notes.Single()), Is.EqualTo((IssueKind.Kept, "It expires on 2026-11-30T10:00:00Z, within 30d: run CertificateRequests and let your CA sign, or bring the root key (--rootca-cert and --rootca-key).")));
        _fixture.Time.Advance(TimeSpan.FromDays(30));
        Assert.That((await ProblemAsync(() => _fixture.ClustersAsync("east"))).Message, Does.Contain("east (It expired on 2026-11-30T10:00:00Z)"));
    }

    [Test]
    public async Task Issues_no_new_root_beside_clusters_of_another_CA()
    {
        WriteCluster("east", Istio, [Istio, Issuing, Policy], [Root]);
        Assert.That((await _fixture.RootAsync()).Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That((await ProblemAsync(() => _fixture.ClustersAsync("east", "west"))).Message, Does.Contain("1 cluster must get a new intermediate: west (it has no files)"));
        Assert.That(File.Exists(_fixture.Store.RootCertPath), Is.False);
    }

    /// <summary>Vault and AWS return a chain without the CA itself; openssl writes text and the reverse order.</summary>
    [Test]
    public async Task Fixes_the_form_of_a_chain_without_a_root_key([Values(0, 1, 2, 3, 4)] int form, [Values] bool hasRoot)
    {
        string[] texts =
        [
            Issuing.Pem + Policy.Pem, Root.Pem + Policy.Pem + Issuing.Pem + Istio.Pem, $"Certificate:\n{Istio.Pem}    Data:\n{Issuing.Pem}{Policy.Pem}",
            Istio.Pem + Policy.Pem + Issuing.Pem, Istio.Pem.TrimEnd() + Issuing.Pem + Policy.Pem,
        ];
        WriteCluster("east", Istio, [], [Root]);
        WriteText("east/cert-chain.pem", texts[form]);
        if (hasRoot) Write("root-cert.pem", Root);
        await _fixture.RootAsync();
        var outcome = (await _fixture.ClustersAsync("east")).Single();
        Assert.That((outcome.Kind, outcome.Replaced.Count), Is.EqualTo((IssueKind.Rechained, 1)), outcome.Reason);
        Assert.That(outcome.Reason, Does.EndWith("cert-chain.pem is rewritten; the key and its certificate do not change."));
        Assert.That(File.ReadAllText(_fixture.PathOf("east/cert-chain.pem")), Is.EqualTo(Istio.Pem + Issuing.Pem + Policy.Pem + Root.Pem));
        Assert.That((await _fixture.ClustersAsync("east")).Single().Kind, Is.EqualTo(IssueKind.Kept));
    }

    /// <summary>Otherwise a new root would replace the key of the company's CA.</summary>
    [TestCase(null, "It is missing.")]
    [TestCase("<html></html>", "a web page")]
    [TestCase("", "The file is empty.")]
    public async Task Issues_no_root_beside_a_cluster_whose_root_cannot_be_read(string? text, string message)
    {
        WriteCluster("east", Istio, [Istio, Issuing, Policy], [Root]);
        if (text is null) File.Delete(_fixture.PathOf("east/root-cert.pem"));
        else WriteText("east/root-cert.pem", text);
        var problem = await ProblemAsync(_fixture.RootAsync);
        Assert.That(problem, Has.Property("Id").EqualTo("MT5102").And.Property("Location").EqualTo(_fixture.PathOf("east/root-cert.pem")).And.Property("Message").Contains(message));
        Assert.That(File.Exists(_fixture.Store.RootKeyPath), Is.False);
    }

    [Test]
    public async Task A_root_of_the_store_that_a_cluster_does_not_chain_to_needs_the_key()
    {
        WriteCluster("east", Istio, [Istio, Issuing, Policy], [Root]);
        Write("root-cert.pem", Next);
        Assert.That((await ProblemAsync(() => _fixture.ClustersAsync("east"))).Message, Does.Contain("It chains to another root").And.Contain("Corporate Root"));
    }

    private void Bring(CraftedCertificate issuer, params CraftedCertificate[] file)
    {
        var (certificate, key) = (Path.Combine(_fixture.Temporary, "ca.pem"), Path.Combine(_fixture.Temporary, "ca.key"));
        File.WriteAllText(certificate, string.Concat(file.Select(c => c.Pem)));
        File.WriteAllText(key, issuer.Key.Pkcs8);
        _fixture.Trust = _fixture.Trust with { RootCertificateFile = certificate, RootKeyFile = key };
    }

    [Test]
    public async Task Issues_under_an_intermediate_and_writes_the_complete_chain([Values] bool reversed, [Values] bool minimal)
    {
        var limit = new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var issuing = Ca(Policy, "Mesh CA", s => s with { PathLength = 1, NotAfter = limit });
        CraftedCertificate[] file = [issuing, Policy, Root];
        Bring(issuing, reversed ? [.. file.Reverse()] : file);
        _fixture.Trust = _fixture.Trust with { MinimalChain = minimal };

        var root = await _fixture.RootAsync();
        var east = (await _fixture.ClustersAsync("east")).Single();

        var chain = new[] { east.Material.Certificate, issuing.Document, Policy.Document, Root.Document };
        using (Assert.EnterMultipleScope())
        {
            Assert.That((root.Kind, root.Material.Certificate, root.Notes.Count), Is.EqualTo((IssueKind.Imported, Root.Document, 0)));
            Assert.That(east.Material.Chain, Is.EqualTo(chain));
            Assert.That(east.Material.Certificate.NotAfter, Is.EqualTo(limit), "no longer than the CA that issues");
            Assert.That(File.ReadAllText(_fixture.PathOf("east/cert-chain.pem")), Is.EqualTo(string.Concat(chain.SkipLast(minimal ? 1 : 0).Select(c => c.ToPem()))));
            Assert.That(File.ReadAllText(_fixture.PathOf("east/root-cert.pem")), Is.EqualTo(Root.Pem));
            Assert.That(File.ReadAllText(_fixture.Store.RootCertPath), Is.EqualTo(Root.Pem));
            Assert.That(File.ReadAllText(_fixture.Store.IssuerChainPath), Is.EqualTo(issuing.Pem + Policy.Pem));
            Assert.That(File.ReadAllText(_fixture.Store.RootKeyPath), Is.EqualTo(issuing.Key.Pkcs8));
        }

        Assert.That(((await _fixture.RootAsync()).Kind, (await _fixture.ClustersAsync("east")).Single().Kind), Is.EqualTo((IssueKind.Kept, IssueKind.Kept)));
        _fixture.Trust = _fixture.Trust with { RootCertificateFile = null, RootKeyFile = null };
        Assert.That(((await _fixture.RootAsync()).Kind, (await _fixture.ClustersAsync("east", "west"))[1].Material.Chain.Count), Is.EqualTo((IssueKind.Kept, 4)), "the store is enough");

        // A run was killed before the last rename.
        File.Move(_fixture.Store.RootCertPath, _fixture.PathOf(".meshtrust-root-cert.pem-0123.tmp"));
        Assert.That((await _fixture.RootAsync()).Material.Chain, Is.EqualTo(chain[1..]));

        Bring(Policy, Policy, Root);
        Assert.That((await ProblemAsync(_fixture.RootAsync)).Id, Is.EqualTo("MT5110"), "another CA under the same root");
    }

    [Test]
    public async Task Uses_an_intermediate_without_its_root_as_the_trust_anchor()
    {
        Bring(Issuing, Issuing, Policy);
        var root = await _fixture.RootAsync();
        Assert.That(root.Notes.Single(), Does.Contain("does not hold 'O=Corp, CN=Corporate Root'"));
        var east = (await _fixture.ClustersAsync("east")).Single().Material;
        Assert.That(east.Chain.Skip(1), Is.EqualTo(new[] { Issuing.Document, Policy.Document }));
        Assert.That((await _fixture.ClustersAsync("east")).Single().Kind, Is.EqualTo(IssueKind.Kept));
    }

    private static IEnumerable<TestCaseData> Unusable()
    {
        yield return new TestCaseData("MT5108", "allows 0 CAs below it, but there is 1", Ca(Root, "No sub-CAs", s => s with { PathLength = 0 }), Array.Empty<CraftedCertificate>()).SetArgDisplayNames("path length 0");
        var limited = Ca(Root, "One tier", s => s with { PathLength = 0 });
        yield return new TestCaseData("MT5108", "allows 0 CAs below it, but there are 2", Ca(limited, "Below"), new[] { limited }).SetArgDisplayNames("path length above");
        yield return new TestCaseData("MT5108", "is not a CA", Ca(Root, "Leaf", s => s with { Ca = false }), Array.Empty<CraftedCertificate>()).SetArgDisplayNames("no CA");
        yield return new TestCaseData("MT5106", "The CA 'O=Corp, CN=Ended' expired on", Ca(Root, "Ended", s => s with { NotAfter = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero) }), Array.Empty<CraftedCertificate>()).SetArgDisplayNames("expired");
        yield return new TestCaseData("MT5102", "'O=Corp, CN=Policy CA' is neither the CA of the key nor one above it", Ca(Root, "Sub"), new[] { Policy }).SetArgDisplayNames("a stray CA");
    }

    [TestCaseSource(nameof(Unusable))]
    public async Task Rejects_an_intermediate_that_cannot_issue(string id, string message, object issuer, object[] above)
    {
        var ca = (CraftedCertificate)issuer;
        Bring(ca, [ca, .. above.Cast<CraftedCertificate>(), Root]);
        var problem = await ProblemAsync(_fixture.RootAsync);
        Assert.That(problem, Has.Property("Id").EqualTo(id).And.Property("Message").Contains(message));
        Assert.That(Directory.EnumerateFiles(_fixture.Store.Location, "*.pem"), Is.Empty);
    }

    private static IEnumerable<TestCaseData> Constraints()
    {
        yield return Constraint("another DNS domain", false, "permits only the DNS names 'corp.example.com', not 'istiod.istio-system.svc'", [Name(GeneralName.DnsName, "corp.example.com")], []);
        yield return Constraint("only istiod's first name", false, "not 'istiod-remote.istio-system.svc'", [Name(GeneralName.DnsName, "istiod.istio-system.svc")], []);
        yield return Constraint("an excluded DNS domain", false, "excludes the DNS name 'svc'", [], [Name(GeneralName.DnsName, "svc")]);
        yield return Constraint("another trust domain", false, "permits only the URI hosts 'corp.example.com', not 'cluster.local'", [Name(GeneralName.UniformResourceIdentifier, "corp.example.com")], []);
        yield return Constraint("another organization", false, "permits only the subjects 'O=Corp', not 'O=Istio, CN=Intermediate CA'", [Name(GeneralName.DirectoryName, "O=Corp")], []);
        yield return Constraint("an excluded organization", false, "excludes the subject 'O=Istio'", [], [Name(GeneralName.DirectoryName, "O=Istio")]);
        yield return Constraint("what is needed", true, "", [Name(GeneralName.DnsName, "istio-system.svc"), Name(GeneralName.UniformResourceIdentifier, "cluster.local"), Name(GeneralName.DirectoryName, "O=Istio")], []);
        yield return Constraint("nothing that is used", true, "", [Name(GeneralName.Rfc822Name, "corp.example.com")], [Name(GeneralName.DnsName, "bad.example")]);
    }

    private static GeneralName Name(int type, string value) => new(type, value);

    private static TestCaseData Constraint(string name, bool fits, string message, GeneralName[] permitted, GeneralName[] excluded) =>
        new TestCaseData(fits, message, permitted, excluded).SetArgDisplayNames(name);

    [TestCaseSource(nameof(Constraints))]
    public async Task Rejects_a_CA_whose_name_constraints_forbid_what_it_would_issue(bool fits, string message, GeneralName[] permitted, GeneralName[] excluded)
    {
        var root = Ca(null, "Constrained", s => s with { Permitted = permitted, Excluded = excluded });
        foreach (var (issuer, file) in new[] { (root, new[] { root }), (Ca(root, "Below"), []) }.Select(p => (p.Item1, p.Item2.Length > 0 ? p.Item2 : [p.Item1, root])))
        {
            Bring(issuer, file);
            if (fits)
            {
                Assert.That((await _fixture.RootAsync()).Kind, Is.EqualTo(IssueKind.Imported));
                Assert.That((await _fixture.ClustersAsync("east")).Single().Kind, Is.EqualTo(IssueKind.Issued));
                Directory.Delete(_fixture.Store.Location, true);
                continue;
            }

            var problem = await ProblemAsync(_fixture.RootAsync);
            Assert.That(problem.Id, Is.EqualTo("MT5118"));
            Assert.That(problem.Message, Does.Contain("'O=Corp, CN=Constrained'").And.Contain(message));
            Assert.That(File.Exists(_fixture.Store.RootCertPath), Is.False);
        }
    }

    /// <summary>Istio's own rotator does this, and so does make if the key is newer than the certificate.</summary>
    [Test]
    public async Task Keeps_the_intermediates_of_a_root_that_is_renewed_with_its_name_and_key([Values] bool otherRoots)
    {
        var before = await _fixture.OneClusterAsync();
        if (otherRoots) File.AppendAllText(_fixture.PathOf("east/root-cert.pem"), Next.Pem);
        _fixture.Time.Advance(TimeSpan.FromDays(40));
        var key = (await _fixture.RootAsync()).Material.Key!;
        var renewed = new CertificateIssuer(_fixture.Time).IssueRoot(CertificateProfile.ForRoot(_fixture.Trust.Root), key).Certificate;
        File.WriteAllText(_fixture.Store.RootCertPath, renewed.ToPem());

        Assert.That((await _fixture.RootAsync()).Material.Certificate, Is.EqualTo(renewed));
        var outcome = (await _fixture.ClustersAsync("east")).Single();
        Assert.That((outcome.Kind, outcome.Material.Certificate), Is.EqualTo((IssueKind.Rechained, before.Certificate)), outcome.Reason);
        Assert.That(outcome.Reason, Does.StartWith("The root was renewed with the same name and key").And.EndsWith("the key and its certificate do not change."));
        Assert.That(File.ReadAllText(_fixture.PathOf("east/cert-chain.pem")), Is.EqualTo(before.Certificate.ToPem() + renewed.ToPem()));
        Assert.That(File.ReadAllText(_fixture.PathOf("east/root-cert.pem")), Is.EqualTo(renewed.ToPem() + (otherRoots ? Next.Pem : "")));
        Assert.That(File.ReadAllBytes(_fixture.PathOf("east/ca-key.pem")), Is.EqualTo(before.ToFiles()["ca-key.pem"].ToArray()));
        Assert.That((await _fixture.ClustersAsync("east")).Single(), Has.Property("Kind").EqualTo(IssueKind.Kept).And.Property("Notes").Empty, "its expiry, which the earlier root capped, is not a difference");
    }

    [Test]
    public async Task Reissues_an_intermediate_that_names_the_serial_number_of_the_earlier_root()
    {
        var root = Ca(null, "Renewed");
        var old = Ca(root, "Istio CA", s => s with { AuthoritySerial = true });
        var renewed = Ca(null, "Renewed", s => s with { Key = root.Key });
        WriteCluster("east", old, [old, root], [root]);
        Bring(renewed, renewed);
        await _fixture.RootAsync();
        Assert.That((await _fixture.ClustersAsync("east")).Single(), Has.Property("Kind").EqualTo(IssueKind.Reissued).And.Property("Reason").Contains("another root"));
    }

    [Test]
    public async Task The_DNS_name_of_another_namespace_is_reported_and_not_reissued()
    {
        await _fixture.OneClusterAsync();
        _fixture.Trust = _fixture.Trust with { Namespace = "istio-cp", Intermediate = _fixture.Trust.Intermediate with { DnsNames = ["istiod.istio-cp.svc"] } };
        var outcomes = await _fixture.ClustersAsync("east", "west");
        Assert.That(outcomes.Select(o => o.Kind), Is.EqualTo(new[] { IssueKind.Kept, IssueKind.Issued }));
        Assert.That(outcomes[0].Notes.Single(), Does.Contain("istiod.istio-system.svc").And.Contain("istio-cp"));
        Assert.That(outcomes[1].Material.Certificate.DnsNames, Is.EqualTo(new[] { "istiod.istio-cp.svc" }));
    }
}
