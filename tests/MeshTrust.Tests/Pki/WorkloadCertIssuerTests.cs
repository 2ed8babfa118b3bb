using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Tests.Pki;

/// <summary>Files for VMs, from the store alone.</summary>
internal sealed class WorkloadCertIssuerTests
{
    private static readonly WorkloadName Ratings = new("bookinfo", "ratings-vm");
    private StoreFixture _fixture = null!;

    [SetUp]
    public void Begin() => _fixture = new StoreFixture();

    [TearDown]
    public void End() => _fixture?.Dispose();

    [Test]
    public async Task A_workload_gets_a_key_the_chain_in_order_and_the_root()
    {
        var ca = await _fixture.OneClusterAsync();
        var outcome = (await IssueAsync()).Single();
        var leaf = outcome.Material.Certificate;

        Assert.That(outcome.Kind, Is.EqualTo(IssueKind.Issued));
        Assert.That((leaf.Uris.Single(), leaf.DnsNames.Count, leaf.IsCa), Is.EqualTo(("spiffe://cluster.local/ns/bookinfo/sa/ratings-vm", 0, false)));
        Assert.That(Chain(), Is.EqualTo(ca.Chain.Prepend(leaf)));
        Assert.That(PrivateKeyPem.TryParse("", File.ReadAllBytes(PathOf("key.pem")), out var key, out _) && key.Matches(leaf));
        Assert.That(File.ReadAllBytes(PathOf("root-cert.pem")), Is.EqualTo(ca.RootCert.ToArray()));
        Assert.That(leaf.NotAfter - leaf.NotBefore, Is.EqualTo(TimeSpan.FromDays(1) + CertificateIssuer.Backdating));
        Assert.That(CertificationPath.Fault(leaf, ca.Chain, [ca.Root], _fixture.Time.GetUtcNow()), Is.Null);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "modes are Unix's")]
    public async Task Only_the_owner_can_read_the_key_and_its_directories()
    {
        await _fixture.OneClusterAsync();
        await IssueAsync();

        Assert.That(StoreFixture.ModeOf(PathOf("key.pem")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        foreach (var directory in new[] { "workloads", "workloads/east", "workloads/east/bookinfo", "workloads/east/bookinfo/ratings-vm" })
            Assert.That((int)StoreFixture.ModeOf(_fixture.PathOf(directory)), Is.EqualTo(0b111_000_000), directory);
    }

    [Test]
    public async Task A_lifetime_below_the_threshold_is_renewed_in_its_last_third()
    {
        await _fixture.OneClusterAsync();
        await IssueAsync();
        var before = _fixture.Content();
        _fixture.Time.Advance(TimeSpan.FromHours(15));
        Assert.That((await IssueAsync()).Single().Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That(_fixture.Content(), Is.EqualTo(before));

        _fixture.Time.Advance(TimeSpan.FromHours(2));
        var renewed = (await IssueAsync()).Single();
        Assert.That((renewed.Kind, renewed.Replaced.Count, renewed.Reason), Is.EqualTo((IssueKind.Reissued, 2, "It expires on 2026-08-23T10:00:00Z, which is due for renewal.")));
        Assert.That(renewed.Replaced.All(File.Exists), "nothing is lost");

        _fixture.Time.Advance(TimeSpan.FromHours(20));
        var again = (await IssueAsync()).Single();
        Assert.That(Directory.GetFiles(again.Material.Directory, "*.old"), Is.EquivalentTo(again.Replaced), "one generation");
    }

    [TestCase(30, false)]
    [TestCase(60, true)]
    public async Task A_longer_lifetime_is_renewed_at_the_threshold(int renewBefore, bool isDue)
    {
        await _fixture.OneClusterAsync();
        await IssueAsync(days: 90);
        _fixture.Trust = _fixture.Trust with { RenewBefore = new RenewalThreshold { Remaining = TimeSpan.FromDays(renewBefore) } };
        _fixture.Time.Advance(TimeSpan.FromDays(40));

        Assert.That((await IssueAsync(days: 90)).Single().Kind, Is.EqualTo(isDue ? IssueKind.Reissued : IssueKind.Kept));
    }

    [Test]
    public async Task It_never_outlives_its_CA_and_says_so()
    {
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Days = 20 } };
        var ca = await _fixture.OneClusterAsync();
        var outcome = (await IssueAsync(days: 90)).Single();
        Assert.That((outcome.Material.Certificate.NotAfter, outcome.ClampedFrom), Is.EqualTo((ca.Certificate.NotAfter, (DateTimeOffset?)ca.Certificate.NotAfter.AddDays(70))));

        _fixture.Time.Advance(TimeSpan.FromDays(19));
        var kept = (await IssueAsync(days: 90)).Single();
        Assert.That((kept.Kind, kept.Notes.Single()), Is.EqualTo((IssueKind.Kept, "It expires on 2026-09-11T10:00:00Z with its CA, so a new one would expire as soon: run ClusterCacerts first.")));

        _fixture.Time.Advance(TimeSpan.FromDays(2));
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => IssueAsync(days: 90)))!.Problems.Single();
        Assert.That(fault.ToString(), Does.StartWith("MT5119").And.Contain("the certificate would have expired on").And.Contain("Run ClusterCacerts"));
    }

    [Test]
    public async Task A_mismatch_is_renewed_with_the_reason()
    {
        await _fixture.OneClusterAsync();
        await IssueAsync();
        await ExpectAsync(() => File.Delete(PathOf("key.pem")), "There is no key.pem.");
        await ExpectAsync(() => File.WriteAllText(PathOf("key.pem"), "gone"), "key.pem: ");
        await ExpectAsync(() => File.Delete(PathOf("cert-chain.pem")), "There is no cert-chain.pem.");
        await ExpectAsync(() => File.Copy(_fixture.PathOf("east/cert-chain.pem"), PathOf("cert-chain.pem"), overwrite: true), "cert-chain.pem does not start with the certificate of key.pem.");
        await ExpectAsync(() => _fixture.Trust = _fixture.Trust with { TrustDomain = "td2" }, "Its name is 'spiffe://cluster.local/ns/bookinfo/sa/ratings-vm', but 'spiffe://td2/ns/bookinfo/sa/ratings-vm' was requested.");
        await ExpectAsync(() => { }, "It is valid for 1 days, but 2 were requested.", days: 2);
        Directory.Delete(_fixture.PathOf("east"), recursive: true);
        await _fixture.ClustersAsync("east");
        await ExpectAsync(() => { }, "It was issued by another CA than east has now.", days: 2);

        async Task ExpectAsync(Action change, string reason, int days = 1)
        {
            change();
            var outcome = (await IssueAsync(days: days)).Single();
            Assert.That((outcome.Kind, outcome.Reason), Is.EqualTo((IssueKind.Reissued, outcome.Reason)));
            Assert.That(outcome.Reason, Does.StartWith(reason));
            Assert.That((await IssueAsync(days: days)).Single().Kind, Is.EqualTo(IssueKind.Kept));
        }
    }

    [Test]
    public async Task Only_the_form_of_the_chain_changes_without_the_root()
    {
        var ca = await _fixture.OneClusterAsync();
        var leaf = (await IssueAsync()).Single().Material.Certificate;
        _fixture.Trust = _fixture.Trust with { MinimalChain = true };

        Assert.That((await IssueAsync()).Single().Kind, Is.EqualTo(IssueKind.Rechained));
        Assert.That(Chain(), Is.EqualTo(new[] { leaf, ca.Certificate }));
    }

    [Test]
    public void A_CA_that_forbids_the_trust_domain_issues_nothing()
    {
        _fixture.Time.SetUtcNow(CraftedMesh.Now);
        var root = CraftedCertificate.Root(new CraftedSpec { Permitted = [new GeneralName(GeneralName.UniformResourceIdentifier, "corp.local")] });
        foreach (var (file, text) in CraftedMesh.Files4(root, CraftedMesh.Intermediate(root, "east")))
        {
            Directory.CreateDirectory(_fixture.PathOf("east"));
            File.WriteAllText(_fixture.PathOf($"east/{file}"), text);
        }

        Assert.That(() => IssueAsync(), Throws.TypeOf<MeshTrustException>().With.Message.Contains("MT5119").And.Message.Contains("cannot issue for bookinfo/ratings-vm: 'O=Istio, CN=Root CA' permits only the URI hosts 'corp.local', not 'cluster.local'"));
        Assert.That(Directory.Exists(_fixture.PathOf("workloads")), Is.False);
    }

    [Test]
    public void Without_a_CA_it_says_what_to_run() =>
        Assert.That(() => IssueAsync(), Throws.TypeOf<MeshTrustException>().With.Message.Contains("MT5113").And.Message.Contains("ClusterCacerts"));

    [Test]
    public async Task A_store_with_workloads_is_still_the_same_store()
    {
        await _fixture.OneClusterAsync();
        await IssueAsync();

        Assert.That((await _fixture.RootAsync()).Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That((await _fixture.ClustersAsync("east")).Single().Kind, Is.EqualTo(IssueKind.Kept));
    }

    private Task<IReadOnlyList<IssueOutcome<WorkloadCert>>> IssueAsync(int days = 1) => WorkloadCertIssuer.EnsureAsync(
        _fixture.Store, _fixture.Trust, new ClusterSpec { Name = ClusterName.Parse("east") }, new RunSpec { Workloads = [Ratings, Ratings], WorkloadDays = days }, _fixture.Time, default);

    private IReadOnlyList<CertificateDocument> Chain() => PemDocument.Parse("", File.ReadAllBytes(PathOf("cert-chain.pem"))).Certificates;

    private string PathOf(string file) => Path.Combine(_fixture.Store.WorkloadDirectory(ClusterName.Parse("east"), Ratings), file);
}
