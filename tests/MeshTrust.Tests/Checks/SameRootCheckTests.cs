using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class SameRootCheckTests
{
    [Test]
    public void One_root_everywhere_passes() => Assert.That(CraftedMesh.Sound("east", "west").Run("MT5001"), Is.Empty);

    [Test]
    public void A_cluster_under_another_root_is_an_error_of_that_cluster()
    {
        var mesh = CraftedMesh.Sound("east", "west");
        var other = CraftedCertificate.Root();
        mesh.Add("north", CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, "north")));
        var finding = mesh.Run("MT5001").Single();

        Assert.That((finding.Id, finding.Severity, finding.Cluster), Is.EqualTo(("MT5001", Severity.Error, "north")));
        Assert.That(finding.ToString(), Does.Contain("CERTIFICATE_VERIFY_FAILED"));
    }

    [Test]
    public void A_common_root_is_a_rotation_in_progress()
    {
        var root = CraftedCertificate.Root();
        var mesh = CraftedMesh.SoundUnder(root, "east");
        var files = CraftedMesh.Files4(root, CraftedMesh.Intermediate(root, "west"));
        files["root-cert.pem"] += CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Istio", "CN=Next Root CA"] }).Pem;
        mesh.Add("west", files);

        Assert.That(mesh.Run("MT5001").Single().Severity, Is.EqualTo(Severity.Warning));
    }
}
