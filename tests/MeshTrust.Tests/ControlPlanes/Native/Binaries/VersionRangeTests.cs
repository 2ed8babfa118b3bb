using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.Tests.ControlPlanes.Native.Binaries;

[TestFixture]
public sealed class VersionRangeTests
{
    private static readonly string[] Versions = ["1.29.5", "1.30.0", "1.30.3", "1.32.0", "1.32.1", "1.33.0-alpha.2", "1.33.0"];

    [TestCase("1.30.3", "1.30.3")]
    [TestCase("v1.30.3", "1.30.3")]
    [TestCase("1.30", "1.30.0", "1.30.3")]
    [TestCase("1.30.x", "1.30.0", "1.30.3")]
    [TestCase("1.30.*!", "1.30.0", "1.30.3")]
    [TestCase("~1.32.1", "1.32.1")]
    [TestCase("~1.32", "1.32.0", "1.32.1")]
    [TestCase("<1.30.1", "1.29.5", "1.30.0")]
    [TestCase("<1.30", "1.29.5")]
    [TestCase("1.33.0-alpha.2", "1.33.0-alpha.2")]
    [TestCase("1.33", "1.33.0")]
    [TestCase("latest", "1.29.5", "1.30.0", "1.30.3", "1.32.0", "1.32.1", "1.33.0")]
    [TestCase("latest-on-disk", "1.29.5", "1.30.0", "1.30.3", "1.32.0", "1.32.1", "1.33.0")]
    public void Accepts_the_version_expressions_of_setup_envtest(string expression, params string[] fitting)
    {
        var range = VersionRange.TryParse(expression)!;

        Assert.That(Versions.Where(version => range.Contains(KubernetesVersion.TryParse(version)!)), Is.EqualTo(fitting));
    }

    [TestCase("")]
    [TestCase("1")]
    [TestCase("1.x")]
    [TestCase("1.30.0.0")]
    [TestCase(">1.30")]
    [TestCase("1.30.x-alpha")]
    [TestCase("../../etc")]
    [TestCase("1.30\n")]
    [TestCase("latest-on-disk!")]
    [TestCase("1.999999999999.0")]
    public void Rejects_an_invalid_expression(string expression) => Assert.That(VersionRange.TryParse(expression == "1.30\n" ? "1.30\n1" : expression), Is.Null);

    [Test]
    public void A_trailing_exclamation_mark_queries_the_index() => Assert.Multiple(() =>
    {
        Assert.That(VersionRange.TryParse("1.30!")!.AsksIndex, Is.True);
        Assert.That(VersionRange.TryParse("1.30")!.AsksIndex, Is.False);
        Assert.That(VersionRange.TryParse("latest-on-disk")!.OnDiskOnly, Is.True);
    });

    [Test]
    public void Orders_prereleases_before_their_release()
    {
        string[] ordered = ["1.9.0", "1.31.0-alpha.2", "1.31.0-alpha.10", "1.31.0-beta", "1.31.0-beta.0", "1.31.0", "1.31.1"];

        var sorted = ordered.Reverse().Select(KubernetesVersion.TryParse).Order().Select(version => version!.ToString());

        Assert.That(sorted, Is.EqualTo(ordered));
    }
}
