using MeshTrust.ControlPlanes.Native;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Tests.Settings;
using MeshTrust.Tests.Live;

namespace MeshTrust.Tests.ControlPlanes.Native;

/// <summary>A native cluster's state and the programs that may read it.</summary>
[TestFixture]
public sealed class StateVersionsTests
{
    private ScratchDirectory _scratch = null!;

    [SetUp]
    public void Begin() => _scratch = new ScratchDirectory();

    [TearDown]
    public void End() => _scratch?.Dispose();

    [TestCase("1.20.2", "3.4.23", true)]
    [TestCase("1.20.9", "3.4.13", true)]
    [TestCase("1.21.0", "3.5.16", true)]
    [TestCase("1.20.2", "3.6.1", false)]
    [TestCase("1.19.16", "3.4.23", false)]
    [TestCase("1.20.2", "3.3.10", false)]
    [TestCase("1.20.2", "unknown", true)]
    public void Programs_read_only_data_of_compatible_versions(string kubernetes, string etcd, bool isRead)
    {
        using var state = StateOf("1.20.2", "3.4.23");
        var fault = state.VersionFault(Programs(kubernetes, etcd));
        Assert.That(fault?.Id, Is.EqualTo(isRead ? null : "MT2130"));
        if (fault is not null) Assert.That(fault.Message, Does.Contain("kube-apiserver 1.20.2 on etcd 3.4.23").And.Contain($"{kubernetes} on etcd {etcd}"));
    }

    [Test]
    public void Tries_data_that_was_never_ready_or_has_no_recorded_version()
    {
        using var empty = new PlaneState(_scratch.File("empty"), "east");
        empty.SaveVersions(Programs("1.36.2", "3.6.1"));
        Assert.That(empty.VersionFault(Programs("1.20.2", "3.4.23")), Is.Null);
        using var unknown = StateOf("1.36.2", "3.6.1");
        File.Delete(Path.Combine(unknown.Location, "versions"));
        Assert.That(unknown.VersionFault(Programs("1.20.2", "3.4.23")), Is.Null);
    }

    /// <summary>The programs do not exist: a start would report that instead.</summary>
    [Test]
    public async Task All_incompatible_clusters_are_reported_before_anything_starts()
    {
        StateOf("1.36.2", "3.6.1", "east").Dispose();
        StateOf("1.36.2", "3.6.1", "west").Dispose();
        var before = Directory.GetFileSystemEntries(_scratch.Location, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        var mesh = TopologySamples.Bind("--cluster-names=east,west --provider=native").Topology;
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => new NativeClusterProvider(_scratch.Location, Programs("1.20.2", "3.4.23")).EnsureAsync(mesh, CancellationToken.None));
        Assert.That(fault!.Problems.Select(p => (p.Id, p.Location)), Is.EqualTo(new[] { ("MT2130", "east"), ("MT2130", "west") }));
        var after = Directory.GetFileSystemEntries(_scratch.Location, "*", SearchOption.AllDirectories);
        Assert.That(after.Except(before).Select(Path.GetFileName), Is.All.AnyOf("lock", "kubeconfig", ".gitignore"));
    }

    private static ControlPlaneBinaries Programs(string kubernetes, string etcd) =>
        new() { ApiServer = "/none/kube-apiserver", Etcd = "/none/etcd", Source = "test", Version = kubernetes, EtcdVersion = etcd };

    private PlaneState StateOf(string kubernetes, string etcd, string cluster = "east")
    {
        var state = new PlaneState(_scratch.File($"native/{cluster}"), cluster);
        Directory.CreateDirectory(Path.Combine(state.DataDirectory, "member"));
        state.SavePort(12345);
        state.SaveVersions(Programs(kubernetes, etcd));
        return state;
    }
}
