using System.Text;
using MeshTrust.Tests.Verification;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class ActiveCaCheckTests
{
    private readonly CraftedCertificate _root = CraftedCertificate.Root();

    private Dictionary<string, string> Files => CraftedMesh.Files4(_root, CraftedMesh.Intermediate(_root, "east"));

    private static Dictionary<string, string> SelfSigned => new() { ["ca-cert.pem"] = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=cluster.local"] }).Pem };

    [Test]
    public void The_root_of_the_secret_in_the_config_map_passes() =>
        Assert.That(new CraftedMesh().Add("east", Files, parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem)] }).Run("MT5013"), Is.Empty);

    [Test]
    public void Is_not_applicable_without_istiod() =>
        Assert.That(CraftedMesh.Row("MT5013").Run(CraftedMesh.Sound("east").Snapshot()).Note, Does.Contain("istiod has not run in any cluster"));

    [Test]
    public void Another_root_in_the_config_map_is_an_error()
    {
        var mesh = new CraftedMesh().Add("east", Files, parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", CraftedCertificate.Root().Pem)] });
        var finding = mesh.Run("MT5013").Single();

        Assert.That((finding.Id, finding.Severity), Is.EqualTo(("MT5013", Severity.Error)));
        Assert.That(finding.Hint, Does.StartWith("Do not restart istiod"));
    }

    /// <summary>The secret of one cluster was replaced with a foreign one; istiod still uses the root of the mesh.</summary>
    [TestCase(true, "Run PushSecrets")]
    [TestCase(false, "restore the secret with the root")]
    public void A_foreign_secret_in_a_working_mesh_is_restored_without_an_istiod_restart(bool inStore, string fix)
    {
        var foreign = CraftedCertificate.Root();
        var mesh = new CraftedMesh()
            .Add("west", CraftedMesh.Files4(_root, CraftedMesh.Intermediate(_root, "west")), parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem)] })
            .Add("east", CraftedMesh.Files4(foreign, CraftedMesh.Intermediate(foreign, "east")), parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem), CraftedMesh.Roots("default", _root.Pem)] });
        if (inStore) mesh.Files = new TrustStoreSnapshot { Directory = "certs", Files = [new StoredFile { Path = "east/root-cert.pem", Content = Encoding.ASCII.GetBytes(_root.Pem) }] };

        var finding = mesh.Run("MT5013").Single();

        using (Assert.EnterMultipleScope())
        {
            Assert.That((finding.Id, finding.Severity, finding.Cluster), Is.EqualTo(("MT5013", Severity.Error, "east")));
            Assert.That(finding.Hint, Does.StartWith("Do not restart istiod").And.Contain(fix));
            Assert.That(mesh.Run("MT5014").Where(f => f.Severity == Severity.Error), Is.Empty, "the namespaces hold what istiod publishes");
            Assert.That(mesh.Run("MT5001"), Is.Empty, "workloads of both trust the same root");
        }
    }

    [Test]
    public void A_root_that_is_only_added_breaks_nothing()
    {
        var files = Files;
        files["root-cert.pem"] = _root.Pem + CraftedCertificate.Root().Pem;
        var finding = new CraftedMesh().Add("east", files, parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem)] }).Run("MT5013").Single();

        Assert.That(finding.ToString(), Does.Contain("ISTIO_MULTIROOT_MESH").And.Contain("Nothing breaks"));
    }

    [Test]
    public void A_root_that_a_restart_would_remove_is_an_error()
    {
        var mesh = new CraftedMesh().Add("east", Files, parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem + CraftedCertificate.Root().Pem)] });

        Assert.That(mesh.Run("MT5013").Single().Hint, Does.StartWith("Do not restart istiod"));
    }

    [Test]
    public void A_self_signed_CA_without_cacerts_is_an_error()
    {
        var mesh = new CraftedMesh().Add("east", null, parts => parts with { SelfSigned = CraftedMesh.Secret("istio-ca-secret", SelfSigned) });

        Assert.That(mesh.Run("MT5013").Single().Severity, Is.EqualTo(Severity.Error));
    }

    [Test]
    public void A_self_signed_CA_that_is_left_over_is_a_warning()
    {
        var mesh = new CraftedMesh().Add("east", Files, parts => parts with { SelfSigned = CraftedMesh.Secret("istio-ca-secret", SelfSigned) });

        Assert.That(mesh.Run("MT5013").Single().Severity, Is.EqualTo(Severity.Warning));
    }
}
