using MeshTrust.Verification.Checks;

namespace MeshTrust.Tests.Verification.Checks;

[TestFixture]
internal sealed class ActiveCaCheckTests
{
    private readonly CraftedCertificate _root = CraftedCertificate.Root();

    private Dictionary<string, string> Files => CraftedMesh.Files4(_root, CraftedMesh.Intermediate(_root, "east"));

    private static Dictionary<string, string> SelfSigned => new() { ["ca-cert.pem"] = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=cluster.local"] }).Pem };

    [Test]
    public void The_root_of_the_secret_in_the_config_map_passes() =>
        Assert.That(new CraftedMesh().Add("east", Files, parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem)] }).Run(new ActiveCaCheck()), Is.Empty);

    [Test]
    public void Nothing_of_istiod_is_not_applicable() =>
        Assert.That(new ActiveCaCheck().NotApplicable(CraftedMesh.Sound("east").Snapshot()), Does.Contain("istiod has run in no cluster"));

    [Test]
    public void Another_root_in_the_config_map_is_an_error()
    {
        var mesh = new CraftedMesh().Add("east", Files, parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", CraftedCertificate.Root().Pem)] });
        var finding = mesh.Run(new ActiveCaCheck()).Single();

        Assert.That((finding.Id, finding.Severity), Is.EqualTo(("MT5013", Severity.Error)));
        Assert.That(finding.ToString(), Does.Contain("created after istiod started"));
    }

    [Test]
    public void A_bundle_that_istiod_ignored_is_an_error()
    {
        var mesh = new CraftedMesh().Add("east", Files, parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem + CraftedCertificate.Root().Pem)] });

        Assert.That(mesh.Run(new ActiveCaCheck()).Single().ToString(), Does.Contain("ISTIO_MULTIROOT_MESH"));
    }

    [Test]
    public void A_self_signed_CA_without_cacerts_is_an_error()
    {
        var mesh = new CraftedMesh().Add("east", null, parts => parts with { SelfSigned = CraftedMesh.Secret("istio-ca-secret", SelfSigned) });

        Assert.That(mesh.Run(new ActiveCaCheck()).Single().Severity, Is.EqualTo(Severity.Error));
    }

    [Test]
    public void A_self_signed_CA_that_is_left_over_is_a_warning()
    {
        var mesh = new CraftedMesh().Add("east", Files, parts => parts with { SelfSigned = CraftedMesh.Secret("istio-ca-secret", SelfSigned) });

        Assert.That(mesh.Run(new ActiveCaCheck()).Single().Severity, Is.EqualTo(Severity.Warning));
    }
}
