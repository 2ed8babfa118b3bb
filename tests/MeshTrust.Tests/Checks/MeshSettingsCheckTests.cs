using MeshTrust.Settings;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class MeshSettingsCheckTests
{
    private readonly CraftedCertificate _root = CraftedCertificate.Root();

    [Test]
    public void Passes_if_nothing_is_configured() => Assert.That(CraftedMesh.Sound("east", "west").Run("MT5024"), Is.Empty);

    [TestCase(null, "no label")]
    [TestCase("network9", "network9")]
    public void A_network_label_that_differs_from_the_topology_is_a_warning(string? label, string text)
    {
        var mesh = Mesh("east", parts => parts with { Namespaces = [label is null ? CraftedMesh.Namespace("istio-system") : CraftedMesh.Namespace("istio-system", ("topology.istio.io/network", label))] });
        mesh.Networks["east"] = "network1";
        var finding = mesh.Run("MT5024").Single();

        Assert.That((finding.Id, finding.Severity), Is.EqualTo(("MT5024", Severity.Warning)));
        Assert.That(finding.ToString(), Does.Contain(text));
    }

    [Test]
    public void Another_trust_domain_is_a_warning() =>
        Assert.That(Mesh("east", Domain("trustDomain: corp.local\n")).Run("MT5024").Select(f => f.ToString()), Has.Some.Contains("corp.local"));

    [Test]
    public void A_trust_domain_with_the_right_alias_passes() =>
        Assert.That(Mesh("east", Domain("trustDomain: corp.local\ntrustDomainAliases:\n- cluster.local\n")).Run("MT5024"), Is.Empty);

    [Test]
    public void Ambient_with_differing_roots_is_an_error()
    {
        var other = CraftedCertificate.Root();
        var mesh = CraftedMesh.SoundUnder(_root, "east").Add("west", CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, "west")));
        mesh.Mode = DataPlaneMode.Ambient;

        Assert.That(mesh.Run("MT5024").Single().Severity, Is.EqualTo(Severity.Error));
    }

    [Test]
    public void Ambient_with_one_root_passes()
    {
        var mesh = CraftedMesh.SoundUnder(_root, "east", "west");
        mesh.Mode = DataPlaneMode.Ambient;

        Assert.That(mesh.Run("MT5024"), Is.Empty);
    }

    private CraftedMesh Mesh(string name, Func<ClusterParts, ClusterParts> change) =>
        new CraftedMesh().Add(name, CraftedMesh.Files4(_root, CraftedMesh.Intermediate(_root, name)), change);

    private static Func<ClusterParts, ClusterParts> Domain(string mesh) => parts => parts with { MeshConfig = CraftedMesh.Map("istio-system", "istio", "mesh", mesh) };
}
