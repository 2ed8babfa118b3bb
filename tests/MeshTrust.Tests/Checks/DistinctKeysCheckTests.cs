using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class DistinctKeysCheckTests
{
    [Test]
    public void A_key_for_each_cluster_passes() => Assert.That(CraftedMesh.Sound("east", "west").Run("MT5017"), Is.Empty);

    [Test]
    public void A_key_that_two_clusters_share_is_an_error()
    {
        var root = CraftedCertificate.Root();
        var files = CraftedMesh.Files4(root, CraftedMesh.Intermediate(root, "east"));
        var findings = new CraftedMesh().Add("east", files).Add("west", files).Run("MT5017");

        Assert.That(findings.Select(f => (f.Id, f.Severity)), Has.Some.EqualTo(("MT5017", Severity.Error)));
    }
}
