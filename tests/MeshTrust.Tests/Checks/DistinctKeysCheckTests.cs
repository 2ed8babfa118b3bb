using MeshTrust.Checks;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class DistinctKeysCheckTests
{
    [Test]
    public void A_key_for_each_cluster_passes() => Assert.That(CraftedMesh.Sound("east", "west").Run(new DistinctKeysCheck()), Is.Empty);

    [Test]
    public void A_key_that_two_clusters_share_is_an_error()
    {
        var root = CraftedCertificate.Root();
        var files = CraftedMesh.Files4(root, CraftedMesh.Intermediate(root, "east"));
        var findings = new CraftedMesh().Add("east", files).Add("west", files).Run(new DistinctKeysCheck());

        Assert.That(findings.Select(f => (f.Id, f.Severity)), Has.Some.EqualTo(("MT5017", Severity.Error)));
    }
}
