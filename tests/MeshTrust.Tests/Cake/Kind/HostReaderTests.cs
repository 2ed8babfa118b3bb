using System.Net;
using System.Net.Sockets;
using MeshTrust.Checks;
using MeshTrust.Kind;
using MeshTrust.Settings;
using MeshTrust.Tests.Live;
using NSubstitute;
using global::Cake.Core;
using global::Cake.Core.Tooling;
using global::Cake.Frosting.MeshTrust.Kind;
using global::Cake.Frosting.MeshTrust.Tools;

namespace MeshTrust.Tests.Cake.Kind;

[TestFixture]
internal sealed class HostReaderTests
{
    private static readonly EngineInfo Engine = new() { Engine = ContainerEngineChoice.Docker, Version = "28.2.2", Architecture = "amd64", RootDirectory = "/var/lib/docker" };
    private readonly IToolLocator _locator = Substitute.For<IToolLocator>();
    private ScratchDirectory _scratch = null!;

    private static MeshTrustSettings Settings => new()
    {
        Topology = new MeshTopology { Clusters = [new ClusterSpec { Name = ClusterName.Parse("east") }] },
        Run = new RunSpec { KubeconfigDirectory = "kubeconfig", MergeKubeconfig = "mine" },
    };

    [SetUp]
    public void Begin() => _scratch = new ScratchDirectory();

    [TearDown]
    public void End() => _scratch?.Dispose();

    [Test]
    public void Reads_what_the_kernel_shows()
    {
        _scratch.Write("proc/sys/fs/inotify/max_user_instances", "128\n");
        _scratch.Write("proc/sys/fs/inotify/max_user_watches", "8192\n");
        _scratch.Write("proc/meminfo", "MemTotal:       24683656 kB\nMemAvailable:       2048 kB\n");
        _scratch.Write("proc/net/if_inet6", "");
        var host = Read();

        Assert.That((host.InotifyInstances, host.InotifyWatches, host.MemoryAvailable, host.HasIpv6), Is.EqualTo((128L, 8192L, 2048L * 1024, true)));
    }

    [TestCase(true, "1\n", ExpectedResult = false)]
    [TestCase(true, "0\n", ExpectedResult = true)]
    [TestCase(false, null, ExpectedResult = false)]
    public bool? Knows_whether_the_kernel_has_IPv6(bool hasFile, string? disabled)
    {
        _scratch.Write("proc/net/route", "");
        if (hasFile) _scratch.Write("proc/net/if_inet6", "");
        if (disabled is not null) _scratch.Write("proc/sys/net/ipv6/conf/all/disable_ipv6", disabled);
        return Read().HasIpv6;
    }

    [Test]
    public void Leaves_out_what_it_cannot_read()
    {
        var host = Read();

        Assert.That((host.InotifyInstances, host.MemoryAvailable, host.HasIpv6), Is.EqualTo(((long?)null, (long?)null, (bool?)null)));
    }

    [Test]
    public void Reads_this_machine()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("NOT RUN: /proc is Linux'. Run it there.");
        var host = Read("/proc");

        Assert.That(host.OperatingSystem, Is.EqualTo("linux"));
        Assert.That(host.InotifyInstances, Is.EqualTo(long.Parse(File.ReadAllText("/proc/sys/fs/inotify/max_user_instances"))));
        Assert.That(host.MemoryAvailable, Is.GreaterThan(1 << 20));
    }

    [Test]
    public void Measures_the_disk_of_the_nearest_existing_directory()
    {
        var there = new DriveInfo(_scratch.Location);
        var host = Read(engine: Engine with { RootDirectory = _scratch.File("not/yet") });

        Assert.That(host.EngineDisk?.Path, Is.EqualTo(_scratch.File("not/yet")));
        Assert.That(host.EngineDisk?.Total, Is.EqualTo(there.TotalSize));
        Assert.That(host.TemporaryDisk?.Free, Is.GreaterThan(0));
    }

    [Test]
    public void Does_not_report_the_local_disk_for_a_remote_engine() =>
        Assert.That(Read(engine: Engine with { IsRemote = true }).EngineDisk, Is.Null);

    [Test]
    public void Finds_locks_beside_every_kubeconfig_that_will_be_written()
    {
        foreach (var name in (string[])["kubeconfig/east.lock", "kubeconfig/east.internal.lock", "kubeconfig/west.lock", "mine.lock"])
            File.SetLastWriteTimeUtc(_scratch.Write(name, ""), TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-3));
        var locks = Read().Locks;

        Assert.That(locks.Select(l => Path.GetRelativePath(_scratch.Location, l.Path)), Is.EquivalentTo(new[] { "kubeconfig/east.lock", "kubeconfig/east.internal.lock", "mine.lock" }));
        Assert.That(locks.Select(l => l.Age.TotalHours), Is.All.InRange(2.9, 3.5));
    }

    [Test]
    public void Finds_kubectl_where_Cake_finds_tools()
    {
        Assert.That(Read().HasKubectl, Is.False);
        _locator.Resolve(Arg.Any<IEnumerable<string>>()).Returns(new global::Cake.Core.IO.FilePath("/usr/bin/kubectl"));
        Assert.That(Read().HasKubectl, Is.True);
    }

    [TestCase("tcp", "127.0.0.1")]
    [TestCase("tcp", "")]
    [TestCase("udp", "127.0.0.1")]
    public void Detects_that_a_port_is_in_use_and_then_free(string protocol, string address)
    {
        var isTcp = protocol == "tcp";
        var socket = new Socket(AddressFamily.InterNetwork, isTcp ? SocketType.Stream : SocketType.Dgram, isTcp ? ProtocolType.Tcp : ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        if (isTcp) socket.Listen();
        var port = new WantedPort(ClusterName.Parse("east"), address, ((IPEndPoint)socket.LocalEndPoint!).Port, protocol);

        Assert.That(HostPort.IsTaken(port), Is.True);
        socket.Dispose();
        Assert.That(HostPort.IsTaken(port), Is.False);
    }

    [TestCase("192.0.2.1", "tcp")]
    [TestCase("127.0.0.1", "sctp")]
    public void A_port_that_cannot_be_tested_counts_as_free(string address, string protocol) =>
        Assert.That(HostPort.IsTaken(new WantedPort(ClusterName.Parse("east"), address, 54321, protocol)), Is.False);

    private HostSnapshot Read(string? proc = null, EngineInfo? engine = null)
    {
        var environment = Substitute.For<ICakeEnvironment>();
        environment.WorkingDirectory.Returns(new global::Cake.Core.IO.DirectoryPath(_scratch.Location));
        var reader = new HostReader(new ToolHost(Substitute.For<global::Cake.Core.IO.IFileSystem>(), environment, _locator, TimeProvider.System), TimeProvider.System) { Proc = proc ?? _scratch.File("proc") };
        return reader.Read(Settings, engine);
    }
}
