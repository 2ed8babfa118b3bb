using MeshTrust.Settings;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class RemainingLifeCheckTests
{
    [Test]
    public void A_long_remaining_life_passes() => Assert.That(CraftedMesh.Sound("east").Run("MT5012"), Is.Empty);

    [Test]
    public void An_intermediate_with_less_than_180_days_is_a_warning()
    {
        var root = CraftedCertificate.Root();
        var mesh = new CraftedMesh().Add("east", CraftedMesh.Files4(root, CraftedMesh.Intermediate(root, "east", spec => spec with { NotAfter = CraftedMesh.Now.AddDays(100) })));
        var finding = mesh.Run("MT5012").Single();

        Assert.That((finding.Id, finding.Severity), Is.EqualTo(("MT5012", Severity.Warning)));
        Assert.That(finding.ToString(), Does.Contain("100 d left"));
    }

    [Test]
    public void An_intermediate_below_the_configured_threshold_is_a_warning()
    {
        var mesh = CraftedMesh.Sound("east");
        mesh.Trust = TrustSpec.Default with { RenewBefore = new RenewalThreshold { Remaining = TimeSpan.FromDays(900) } };

        Assert.That(mesh.Run("MT5012").Single().ToString(), Does.Contain("--renew-before"));
    }

    [Test]
    public void A_root_with_less_than_a_year_is_a_warning()
    {
        var root = CraftedCertificate.Root(new CraftedSpec { NotAfter = CraftedMesh.Now.AddDays(300) });
        var mesh = new CraftedMesh().Add("east", CraftedMesh.Files4(root, CraftedMesh.Intermediate(root, "east", spec => spec with { NotAfter = CraftedMesh.Now.AddDays(290) })));

        var finding = mesh.Run("MT5012").Single();

        Assert.That((finding.Id, finding.Severity, finding.Cluster), Is.EqualTo(("MT5012", Severity.Warning, "east")));
        Assert.That(finding.Message, Does.Contain("300 d left"));
    }
}
