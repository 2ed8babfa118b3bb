using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class ReplaceableSecretCheckTests
{
    private static readonly Dictionary<string, string> Files = CraftedMesh.Files4(CraftedCertificate.Root(), CraftedMesh.Intermediate(CraftedCertificate.Root(), "east"));

    [Test]
    public void A_plain_secret_passes() => Assert.That(CraftedMesh.Sound("east").Run("MT5021"), Is.Empty);

    [Test]
    public void An_immutable_secret_is_a_warning()
    {
        var finding = new CraftedMesh().Add("east", Files, parts => parts with { Cacerts = CraftedMesh.Secret("cacerts", Files, immutable: true) }).Run("MT5021").Single();

        Assert.That((finding.Id, finding.Severity, finding.Cluster), Is.EqualTo(("MT5021", Severity.Warning, "east")));
    }
}
