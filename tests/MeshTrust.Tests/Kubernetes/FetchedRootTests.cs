using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Pki;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Kubernetes;

/// <summary>Which CA of a cluster can become the root of the mesh, and why another cannot.</summary>
internal sealed class FetchedRootTests
{
    private readonly CraftedCertificate _istiod = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=cluster.local"] });
    private readonly CraftedCertificate _root = CraftedCertificate.Root();

    [TestCase(true)]
    [TestCase(false, Description = "istiod has not run")]
    public void Imports_the_root_of_a_self_signed_istiod(bool isPublished)
    {
        var live = new LiveTrust { Cluster = ClusterName.Parse("east"), SelfSigned = SelfSigned(_istiod), RootConfigMap = isPublished ? Roots(_istiod) : null };
        var fetched = FetchedRoot.Of(live);

        Assert.That((fetched.Place, fetched.Root.Certificate, fetched.IsPublished), Is.EqualTo(("east/istio-ca-secret", _istiod.Document, isPublished)));
        Assert.That(System.Text.Encoding.ASCII.GetString(fetched.Key.Span), Is.EqualTo(_istiod.Key.Pkcs8));
        Assert.That(fetched.ToString(), Does.Not.Contain("PRIVATE"));
    }

    [Test]
    public void Imports_a_self_signed_cacerts() =>
        Assert.That(FetchedRoot.Of(Live(secret: Cacerts(_root, _root), published: _root)).Place, Is.EqualTo("east/cacerts"));

    [Test]
    public void Imports_the_live_root_of_an_intermediate_cacerts() =>
        Assert.That(FetchedRoot.Of(Live(Cacerts(_istiod, CraftedMesh.Intermediate(_istiod, "east")), _istiod, SelfSigned(_istiod))).Root.Certificate, Is.EqualTo(_istiod.Document));

    [Test]
    public void Rejects_what_cannot_be_the_root_with_the_reason()
    {
        Refuses("MT5122", "holds the intermediate 'O=Istio, CN=Intermediate CA, L=east'", Live(Cacerts(_root, CraftedMesh.Intermediate(_root, "east")), _root));
        Refuses("MT5122", "not the key of the root", Live(Cacerts(_root, CraftedMesh.Intermediate(_root, "east")), published: null));
        Refuses("MT5122", "holds the intermediate", Live(Cacerts(_root, CraftedMesh.Intermediate(_root, "east")), _root, SelfSigned(_istiod)), "the leftover secret of istiod does not help");
        Refuses("MT5123", "left over: it holds", Live(null, _root, SelfSigned(_istiod)));
        Refuses("MT5123", "but istiod publishes", Live(Cacerts(_root, _root), _istiod));
        Refuses("MT5123", "no readable CA certificate", Live(null, null, CraftedMesh.Secret("istio-ca-secret", [])));
        Refuses("MT5121", "neither cacerts nor istio-ca-secret in the namespace istio-system", Live(null, null));
        Refuses("MT5121", "istio-csr", Live(null, _root) with { HasOtherCa = true });
        Refuses("MT5121", "istiod does not run in the namespace", Live(null, _root) with { FoundIn = ["istio-cp"] });
        Refuses("MT5103", "The file is empty", Live(null, _istiod, CraftedMesh.Secret("istio-ca-secret", new() { ["ca-cert.pem"] = _istiod.Pem, ["ca-key.pem"] = "" })));
        Refuses("MT5104", "does not match", Live(null, _istiod, CraftedMesh.Secret("istio-ca-secret", new() { ["ca-cert.pem"] = _istiod.Pem, ["ca-key.pem"] = _root.Key.Pkcs8 })));

        static void Refuses(string id, string says, LiveTrust live, string? why = null)
        {
            var fault = Assert.Throws<MeshTrustException>(() => FetchedRoot.Of(live))!;
            Assert.That((fault.Stage, fault.Problems[0].Id), Is.EqualTo((Stage.CertificateAuthority, id)), why ?? fault.Message);
            Assert.That(fault.Problems[0].Message, Does.Contain(says));
        }
    }

    [Test]
    public async Task The_store_imports_it_once_and_never_replaces_another_root()
    {
        using var fixture = new StoreFixture();
        fixture.Time.SetUtcNow(CraftedMesh.Now);
        var fetched = FetchedRoot.Of(Live(null, _istiod, SelfSigned(_istiod)));
        Task<IssueOutcome<RootCa>> Import(FetchedRoot root) => RootCaIssuer.ImportAsync(fixture.Store, fixture.Trust, root.Root, root.Key, root.Place, fixture.Time, default);

        Assert.That((await Import(fetched)).Kind, Is.EqualTo(IssueKind.Imported));
        Assert.That(StoreFixture.ModeOf(fixture.Store.RootKeyPath), Is.EqualTo(OperatingSystem.IsWindows() ? UnixFileMode.None : UnixFileMode.UserRead | UnixFileMode.UserWrite));
        var before = fixture.Content();
        Assert.That((await Import(fetched)).Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That((await fixture.RootAsync()).Kind, Is.EqualTo(IssueKind.Kept), "a root without CN was not made with these options");
        var other = (await Assert.ThrowsAsync<MeshTrustException>(() => Import(FetchedRoot.Of(Live(Cacerts(_root, _root), _root)))))!;
        Assert.That(other.Problems.Single().ToString(), Does.StartWith("MT5110").And.Contain("but east/cacerts holds").And.Contain("--certs-dir"));
        Assert.That(fixture.Content(), Is.EqualTo(before));
        Assert.That((await fixture.ClustersAsync("east")).Single().Material.Root, Is.EqualTo(_istiod.Document));
    }

    [Test]
    public async Task Does_not_import_an_expired_root()
    {
        using var fixture = new StoreFixture();
        fixture.Time.SetUtcNow(CraftedMesh.Now.AddYears(11));
        var fetched = FetchedRoot.Of(Live(null, _istiod, SelfSigned(_istiod)));
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => RootCaIssuer.ImportAsync(fixture.Store, fixture.Trust, fetched.Root, fetched.Key, fetched.Place, fixture.Time, default)))!;

        Assert.That((fault.Problems.Single().Id, File.Exists(fixture.Store.RootKeyPath)), Is.EqualTo(("MT5106", false)));
    }

    private static LiveTrust Live(SecretDocument? secret, CraftedCertificate? published, SecretDocument? selfSigned = null) => new()
    {
        Cluster = ClusterName.Parse("east"), Cacerts = secret, SelfSigned = selfSigned, RootConfigMap = published is null ? null : Roots(published),
    };

    private static SecretDocument SelfSigned(CraftedCertificate ca) =>
        CraftedMesh.Secret("istio-ca-secret", new() { ["ca-cert.pem"] = ca.Pem, ["ca-key.pem"] = ca.Key.Pkcs8, ["root-cert.pem"] = "" });

    private static SecretDocument Cacerts(CraftedCertificate root, CraftedCertificate ca) => CraftedMesh.Secret("cacerts", CraftedMesh.Files4(root, ca));

    private static ConfigMapDocument Roots(CraftedCertificate root) => CraftedMesh.Roots("istio-system", root.Pem);
}
