using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class RootConfigMapCheckTests
{
    private readonly CraftedCertificate _root = CraftedCertificate.Root();

    [Test]
    public void The_same_roots_in_every_namespace_pass() => Assert.That(Mesh(("istio-system", _root.Pem), ("default", _root.Pem)).Run("MT5014"), Is.Empty);

    [Test]
    public void An_old_root_in_a_namespace_is_an_error_that_names_it()
    {
        var finding = Mesh(("istio-system", _root.Pem), ("default", CraftedCertificate.Root().Pem)).Run("MT5014").Single();

        Assert.That((finding.Id, finding.Severity), Is.EqualTo(("MT5014", Severity.Error)));
        Assert.That(finding.ToString(), Does.Contain("default"));
    }

    [Test]
    public void A_namespace_without_roots_is_a_warning() =>
        Assert.That(Mesh(("istio-system", _root.Pem)).Run("MT5014").Single().Severity, Is.EqualTo(Severity.Warning));

    [Test]
    public void A_namespace_that_istiod_ignores_is_not_checked() =>
        Assert.That(Mesh(("istio-system", _root.Pem), ("default", _root.Pem), ("kube-public", "old")).Run("MT5014"), Is.Empty);

    private CraftedMesh Mesh(params (string Namespace, string Text)[] maps) =>
        new CraftedMesh().Add("east", CraftedMesh.Files4(_root, CraftedMesh.Intermediate(_root, "east")), parts => parts with { RootConfigMaps = [.. maps.Select(m => CraftedMesh.Roots(m.Namespace, m.Text))] });
}
