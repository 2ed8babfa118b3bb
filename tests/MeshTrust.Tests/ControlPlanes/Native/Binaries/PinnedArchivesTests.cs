using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.Tests.ControlPlanes.Native.Binaries;

[TestFixture]
public sealed class PinnedArchivesTests
{
    [Test]
    public void Are_complete_and_unique_and_sorted_newest_first()
    {
        var all = BinaryArchive.ReadPins();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(all.Select(archive => archive.Sha512), Is.Unique.And.All.Match("^[0-9a-f]{128}$"));
            Assert.That(all.Select(archive => $"{archive.Version} {archive.Platform}"), Is.Unique);
            Assert.That(all.Select(archive => archive.Version), Is.Ordered.Descending);
            Assert.That(all.Select(archive => archive.Address.Scheme), Is.All.EqualTo("https"));
            Assert.That(all.Select(archive => archive.Version.Prerelease), Is.All.Empty);
        }
    }

    [TestCase("linux", "amd64")]
    [TestCase("linux", "arm64")]
    [TestCase("darwin", "amd64")]
    [TestCase("darwin", "arm64")]
    [TestCase("windows", "amd64")]
    public void Have_every_version_for(string os, string architecture)
    {
        var versions = BinaryArchive.ReadPins().Select(archive => archive.Version).Distinct();
        Assert.That(BinaryArchive.ReadPins().Where(archive => archive.Platform == new ControlPlanePlatform(os, architecture)).Select(archive => archive.Version), Is.EqualTo(versions));
    }

    [Test]
    public void Have_the_URLs_that_setup_envtest_downloads() =>
        Assert.That(
            BinaryArchive.ReadPins().First(archive => archive.Version == new KubernetesVersion(1, 34, 1) && archive.Platform.ToString() == "linux-amd64").Address.ToString(),
            Is.EqualTo("https://github.com/kubernetes-sigs/controller-tools/releases/download/envtest-v1.34.1/envtest-v1.34.1-linux-amd64.tar.gz"));
}
