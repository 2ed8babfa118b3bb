using System.Net;
using MeshTrust.Checks;
using MeshTrust.Kind;
using MeshTrust.Settings;
using static MeshTrust.Tests.Checks.CraftedReading;

namespace MeshTrust.Tests.Checks;

/// <summary>Fails every row by breaking one thing on a healthy machine.</summary>
[TestFixture]
internal sealed class PreflightReportTests
{
    private const long GiB = 1L << 30;
    private const string Port80 = """{"nodes":[{"role":"control-plane","extraPortMappings":[{"containerPort":80,"hostPort":80}]}]}""";
    private static readonly Problem Foreign = new("MT2303", "east", "It is there.", "Rename it.");

    [Test]
    public void A_suitable_machine_passes_every_check()
    {
        var report = PreflightReport.For(Sound);

        Assert.That(report.Problems, Is.Empty);
        Assert.That(report.Rows.Where(r => r.Outcome is CheckOutcome.Failed or CheckOutcome.Warned or CheckOutcome.CouldNotCheck), Is.Empty);
        Assert.That(report.Rows.Count(r => r.Outcome == CheckOutcome.Passed), Is.GreaterThan(18));
        Assert.That(report.ToFault(), Is.Null);
    }

    [Test]
    public void Ids_are_unique() => Assert.That(PreflightReport.Checks.Select(c => c.Id), Is.Unique);

    public static IEnumerable<TestCaseData> Spoiled()
    {
        static TestCaseData Case(string name, PreflightReading reading, string id, Severity severity, params string[] words) =>
            new TestCaseData(reading, id, severity, words).SetArgDisplayNames(name);

        yield return Case("engine silent", Sound with { Engine = null }, "MT2220", Severity.Error, "docker version");
        yield return Case("engine's own fault", Sound with { Engine = null, EngineProblems = [Foreign with { Id = "MT2203" }] }, "MT2203", Severity.Error, "It is there.");
        yield return Case("remote", Sound.With((EngineInfo i) => i with { IsRemote = true, Endpoint = "tcp://docker:2375" }), "MT2221", Severity.Warning, "tcp://docker:2375", "its ports");
        yield return Case("no kind", Sound with { KindVersion = null }, "MT2223", Severity.Error, "PATH", "--provider=native");
        yield return Case("kind too old", Sound with { KindVersion = "0.11.1" }, "MT2224", Severity.Error, "0.11.1", "0.20");
        yield return Case("kind old", Sound with { KindVersion = "0.24.0-alpha+abc" }, "MT2224", Severity.Warning, "0.24.0-alpha+abc");
        yield return Case("no kubectl", Sound.With((HostSnapshot h) => h with { HasKubectl = false }), "MT4010", Severity.Error, "--lb=none");
        yield return Case("cgroup 1", Sound.With((EngineInfo i) => i with { CgroupVersion = 1 }), "MT2222", Severity.Error, "1.35", "--k8s-release=1.34");
        yield return Case("cgroup 1, version unknown", Sound.With((EngineInfo i) => i with { CgroupVersion = 1 }) with { ImageChoice = new() }, "MT2222", Severity.Warning, "not known");
        yield return Case("cgroup 1, kind newer than known", Sound.With((EngineInfo i) => i with { CgroupVersion = 1 }) with { ImageChoice = NodeImages.For(new KindSpec(), "0.40.0") }, "MT2222", Severity.Error, "1.37");
        yield return Case("rootless on cgroup 1", (Sound with { ImageChoice = new() { KubernetesVersion = "1.34.0" } }).With((EngineInfo i) => i with { CgroupVersion = 1, IsRootless = true }), "MT2227", Severity.Error, "Delegate");
        yield return Case("podman journald", Sound.With((EngineInfo i) => i with { Engine = ContainerEngineChoice.Podman, LogDriver = "journald" }), "MT2226", Severity.Warning, "k8s-file");
        yield return Case("few inotify instances", Sound.With((HostSnapshot h) => h with { InotifyInstances = 128 }), "MT1101", Severity.Warning, "128", "2 nodes should have 256", "sudo sysctl -w fs.inotify.max_user_instances=512");
        yield return Case("too few inotify instances", Sound.With((HostSnapshot h) => h with { InotifyInstances = 16 }), "MT1101", Severity.Error, "24");
        yield return Case("nodes of others count", Sound.With((EngineSnapshot e) => e with { Containers = [.. Enumerable.Range(0, 40).Select(i => Node($"c{i}"))] }), "MT1101", Severity.Warning, "42 nodes");
        yield return Case("few inotify watches", Sound.With((HostSnapshot h) => h with { InotifyWatches = 8192 }), "MT1102", Severity.Warning, "524288");
        yield return Case("too few inotify watches", Sound.With((HostSnapshot h) => h with { InotifyWatches = 400 }), "MT1102", Severity.Error, "470");
        yield return Case("little memory", Sound.With((HostSnapshot h) => h with { MemoryAvailable = 3 * GiB }), "MT1103", Severity.Warning, "3 GiB", "4 GiB");
        yield return Case("too little memory", Sound.With((HostSnapshot h) => h with { MemoryAvailable = GiB / 2 }), "MT1103", Severity.Error, "512 MiB", "800 MiB");
        yield return Case("a small virtual machine", Sound.With((EngineInfo i) => i with { Memory = GiB / 2 }).With((HostSnapshot h) => h with { OperatingSystem = "macos" }), "MT1103", Severity.Error, "virtual machine");
        yield return Case("little disk", Sound.With((HostSnapshot h) => h with { EngineDisk = new("/var/lib/docker", 4 * GiB, 10 * GiB) }), "MT1104", Severity.Warning, "4 GiB", "7 GiB", "docker system df");
        yield return Case("too little disk", Sound.With((HostSnapshot h) => h with { EngineDisk = new("/var/lib/docker", GiB / 2, 10 * GiB) }), "MT1104", Severity.Error, "512 MiB");
        yield return Case("no room for temporary files", Sound.With((HostSnapshot h) => h with { TemporaryDisk = new("/tmp", 1024, GiB) }), "MT1105", Severity.Error, "TMPDIR");
        yield return Case("little room for temporary files", Sound.With((HostSnapshot h) => h with { TemporaryDisk = new("/tmp", 100 << 20, GiB) }), "MT1105", Severity.Warning, "100 MiB");
        yield return Case("stale lock", Sound.With((HostSnapshot h) => h with { Locks = [new("/h/east.lock", TimeSpan.FromHours(3))] }), "MT1106", Severity.Error, "3 hours", "rm '/h/east.lock'");
        yield return Case("fresh lock", Sound.With((HostSnapshot h) => h with { Locks = [new("/h/east.lock", TimeSpan.FromSeconds(3))] }), "MT1106", Severity.Warning, "3 seconds");
        yield return Case("one port twice", Sound.With(Cluster("east", Port80), Cluster("west", Port80)), "MT1107", Severity.Error, "80/tcp", "east", "west");
        yield return Case("one port twice, by the common configuration", Sound with { KindConfig = Port80 }, "MT1107", Severity.Error, "80/tcp");
        yield return Case("one API port twice", Sound with { KindConfig = "networking: {apiServerPort: 6443}" }, "MT1107", Severity.Error, "127.0.0.1:6443/tcp");
        yield return Case("one port on two nodes", Sound.With(Cluster("east", """{"nodes":[{"extraPortMappings":[{"hostPort":80}]},{"role":"worker","extraPortMappings":[{"hostPort":80,"listenAddress":"127.0.0.1"}]}]}""")), "MT1107", Severity.Error, "twice");
        yield return Case("port of a container", Sound.With(Cluster("east", Port80)).With((EngineSnapshot e) => e with { Containers = [new() { Id = "1", Name = "web", IsRunning = true, Ports = [new("", 80, 8080)] }] }), "MT1108", Severity.Error, "'web'", "docker stop web");
        yield return Case("port of a program", Sound.With(Cluster("east", Port80)).With((HostSnapshot h) => h with { BusyPorts = [new(MeshTrust.Settings.ClusterName.Parse("east"), "", 80)] }), "MT1108", Severity.Error, "another program", "sport = :80");
        yield return Case("image to pull", Sound with { Image = null }, "MT2420", Severity.Warning, "docker.io", "docker login", "--image-archive");
        yield return Case("image refused", Sound with { ImageChoice = new() { Refusal = Foreign with { Id = "MT2401" } } }, "MT2401", Severity.Error, "It is there.");
        yield return Case("image for another processor", Sound with { Image = new() { Id = "1", Architecture = "arm64" } }, "MT2421", Severity.Error, "linux/arm64", "linux/amd64", "--node-image");
        yield return Case("configuration", Sound with { PlanProblems = [Foreign with { Id = "MT2406" }] }, "MT2406", Severity.Error, "It is there.");
        yield return Case("two networks of one name", Sound with { AddressProblems = [Foreign with { Id = "MT3115" }] }, "MT3115", Severity.Error, "It is there.");
        yield return Case("no address range", Sound.With((EngineSnapshot e) => e with { Networks = Exhausted() }), "MT2230", Severity.Error, "31 networks", "default-address-pools");
        yield return Case("no range in pools of the daemon's own", Sound.With((EngineInfo i) => i with { AddressPools = [new(IPNetwork.Parse("10.9.0.0/23"), 24)] }).With((EngineSnapshot e) => e with { Networks = [Network("a", "10.9.0.0/24"), Network("b", "10.9.1.0/25")] }), "MT2230", Severity.Error, "2 networks");
        yield return Case("a VPN takes all", Sound.With((EngineSnapshot e) => e with { Networks = [], Routes = [new(IPNetwork.Parse("0.0.0.0/1"), "tun0"), new(IPNetwork.Parse("128.0.0.0/1"), "tun0")] }), "MT2230", Severity.Error, "tun0", "VPN");
        yield return Case("kernel without IPv6", Sound.With((HostSnapshot h) => h with { HasIpv6 = false }), "MT1110", Severity.Error, "--ip-family=ipv4");
        yield return Case("network without IPv6", Sound with { AddressProblems = [Foreign with { Id = "MT3108" }] }, "MT3108", Severity.Error, "It is there.");
        yield return Case("no room for pools", Sound with { AddressProblems = [Foreign with { Id = "MT4004" }] }, "MT4004", Severity.Error, "It is there.");
        yield return Case("address clash", Sound with { AddressProblems = [Foreign with { Id = "MT3102" }] }, "MT3102", Severity.Error, "It is there.");
        yield return Case("old MetalLB", (Sound with { ImageChoice = new() { KubernetesVersion = "1.36.1" } }).With((KindSpec s) => s with { LoadBalancer = s.LoadBalancer with { Version = "v0.15.3" } }), "MT2234", Severity.Warning, "v0.15.3", "v0.16.1");
        yield return Case("cloud-provider-kind", (Sound with { LoadBalancerProblems = [Foreign with { Id = "MT4031" }] }).With((KindSpec s) => s with { LoadBalancer = s.LoadBalancer with { Kind = LoadBalancerKind.CloudProviderKind } }), "MT4031", Severity.Error, "It is there.");
        yield return Case("Docker Desktop", Sound.With((EngineInfo i) => i with { OperatingSystem = "Docker Desktop" }), "MT2228", Severity.Warning, "--lb=cloud-provider-kind");
        yield return Case("foreign cluster", Sound with { ClusterProblems = [Foreign] }, "MT2303", Severity.Error, "Rename it.");
    }

    [TestCaseSource(nameof(Spoiled))]
    public void Each_problem_is_reported_with_its_fix(PreflightReading reading, string id, Severity severity, string[] words)
    {
        var problem = PreflightReport.For(reading).Problems.FirstOrDefault(p => p.Id == id && p.Severity == severity);

        Assert.That(problem, Is.Not.Null, string.Join('\n', PreflightReport.For(reading).Problems));
        foreach (var word in words) Assert.That(problem!.ToString(), Does.Contain(word));
        Assert.That(problem!.Message, Does.EndWith("."));
    }

    [Test]
    public void Every_check_is_covered_by_a_failing_case()
    {
        var reported = Spoiled().Select(c => PreflightReport.For((PreflightReading)c.Arguments[0]!)).SelectMany(r => r.Rows.Where(row => row.Findings.Count > 0)).Select(row => row.Id).ToHashSet();

        Assert.That(PreflightReport.Checks.Select(c => c.Id).Except(reported), Is.Empty);
    }

    [Test]
    public void All_problems_are_reported_at_once_with_exit_code_3()
    {
        var reading = (Sound with { KindVersion = null, ClusterProblems = [Foreign] })
            .With((HostSnapshot h) => h with { MemoryAvailable = 0, InotifyInstances = 1, InotifyWatches = 8192 });
        var fault = PreflightReport.For(reading).ToFault();

        Assert.That((int?)fault?.Stage, Is.EqualTo(3));
        Assert.That(fault!.Problems.Select(p => p.Id), Is.EquivalentTo(new[] { "MT2223", "MT1101", "MT1103", "MT2303" }), "errors alone: the warning MT1102 stops nothing");
    }

    [Test]
    public void Without_an_engine_the_machine_is_still_checked()
    {
        var report = PreflightReport.For((Sound with { Engine = null, AddressProblems = null, PlanProblems = null, ClusterProblems = null }).With((HostSnapshot h) => h with { Locks = [new("/h/east.lock", TimeSpan.FromDays(3))] }));

        Assert.That(report.Problems.Select(p => p.Id), Is.EquivalentTo(new[] { "MT2220", "MT1106" }));
        Assert.That(report.Rows.Single(r => r.Id == "MT1104").Outcome, Is.EqualTo(CheckOutcome.CouldNotCheck));
    }

    [Test]
    public void Without_new_nodes_resources_are_not_checked()
    {
        var reading = Sound.With((EngineSnapshot e) => e with { Containers = [Node("east"), Node("west")] }).With((HostSnapshot h) => h with { MemoryAvailable = 0, EngineDisk = new("/", 0, 1) }) with { Image = null };

        Assert.That(PreflightReport.For(reading).Problems, Is.Empty);
    }

    [Test]
    public void A_port_that_an_existing_cluster_of_the_topology_maps_is_not_a_conflict()
    {
        var reading = Sound.With(Cluster("east", Port80)).With((EngineSnapshot e) => e with { Containers = [Node("east") with { Ports = [new("", 80, 80)] }] });

        Assert.That(PreflightReport.For(reading).Problems, Is.Empty);
    }

    [TestCase("127.0.0.1", "127.0.0.2", false)]
    [TestCase("127.0.0.1", "0.0.0.0", true)]
    [TestCase("", "127.0.0.1", true)]
    [TestCase("127.0.0.1", "127.0.0.1", true)]
    public void Ports_conflict_if_their_addresses_overlap(string one, string other, bool clash) => Assert.Multiple(() =>
    {
        var cluster = MeshTrust.Settings.ClusterName.Parse("east");
        Assert.That(new WantedPort(cluster, one, 80).ClashesWith(new WantedPort(cluster, other, 80)), Is.EqualTo(clash));
        Assert.That(new WantedPort(cluster, one, 80).ClashesWith(new WantedPort(cluster, other, 80, "udp")), Is.False);
        Assert.That(new WantedPort(cluster, one, 80).ClashesWith(new WantedPort(cluster, other, 81)), Is.False);
    });

    [TestCase("kindest/node:v1.35.0", true)]
    [TestCase("node", true)]
    [TestCase("docker.io/kindest/node:v1.35.0@sha256:00", true)]
    [TestCase("localhost/node:v1", false)]
    [TestCase("mirror:5000/kindest/node:v1.35.0", false)]
    [TestCase("registry.example/kindest/node", false)]
    public void Only_docker_io_is_reported_to_limit_pulls(string image, bool limited)
    {
        var reading = Sound with { Image = null, ImageChoice = new() { Image = image } };

        Assert.That(PreflightReport.For(reading).Problems.Single().Message, limited ? Does.Contain("docker.io") : Does.Not.Contain("docker.io"));
    }

    [Test]
    public void The_same_reading_gives_the_same_report()
    {
        var first = PreflightReport.For(Sound).Rows.Select(r => r.ToString()).ToList();
        Assert.That(PreflightReport.For(Sound).Rows.Select(r => r.ToString()), Is.EqualTo(first));
    }

    private static EngineNetwork[] Exhausted() =>
    [
        .. Enumerable.Range(17, 15).Select(i => Network($"a{i}", $"172.{i}.0.0/16")),
        .. Enumerable.Range(0, 16).Select(i => Network($"b{i}", $"192.168.{i * 16}.0/20")),
    ];
}
