using System.Net;
using System.Text.Json;
using MeshTrust.Checks;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Checks;

/// <summary>A healthy machine, and ways to break one thing on it.</summary>
internal static class CraftedReading
{
    private const long GiB = 1L << 30;

    public static PreflightReading Sound { get; } = new()
    {
        Topology = new MeshTopology { Clusters = [Cluster("east"), Cluster("west")], Kind = new KindSpec { IpFamily = IpFamily.Dual } },
        Host = new HostSnapshot
        {
            OperatingSystem = "linux",
            InotifyInstances = 512,
            InotifyWatches = 524288,
            MemoryAvailable = 16 * GiB,
            HasIpv6 = true,
            EngineDisk = new DiskSpace("/var/lib/docker", 80 * GiB, 250 * GiB),
            TemporaryDisk = new DiskSpace("/tmp", 10 * GiB, 20 * GiB),
            HasKubectl = true,
        },
        Engine = new EngineSnapshot
        {
            Info = new EngineInfo { Engine = ContainerEngineChoice.Docker, Version = "28.2.2", Architecture = "amd64", Processors = 4, Memory = 16 * GiB, Endpoint = "unix:///var/run/docker.sock", RootDirectory = "/var/lib/docker" },
            Networks = [Network("kind", "172.18.0.0/16", "fc00:f853:ccd:e793::/64"), Network("bridge", "172.17.0.0/16")],
            Containers = [],
        },
        KindVersion = "0.32.0",
        AddressProblems = [],
        PlanProblems = [],
        ClusterProblems = [],
        ImageChoice = new NodeImageChoice { Image = "kindest/node:v1.35.0", KubernetesVersion = "1.35.0" },
        Image = new EngineImage { Id = "sha256:1", Architecture = "amd64" },
    };

    public static ClusterSpec Cluster(string name, string? kindConfig = null) => new()
    {
        Name = ClusterName.Parse(name),
        Kind = new KindClusterSpec { KindConfig = kindConfig is null ? null : JsonDocument.Parse(kindConfig).RootElement },
    };

    public static EngineNetwork Network(string name, params string[] ranges) => new()
    {
        Id = $"{Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(name + string.Concat(ranges)))}0000000000000000",
        Name = name,
        Subnets = [.. ranges.Select(range => new EngineSubnet { Range = IPNetwork.Parse(range) })],
    };

    public static EngineContainer Node(string cluster) => new()
    {
        Id = cluster,
        Name = $"{cluster}-control-plane",
        IsRunning = true,
        Labels = new Dictionary<string, string> { ["io.x-k8s.kind.cluster"] = cluster, ["io.x-k8s.kind.role"] = "control-plane" },
    };

    public static PreflightReading With(this PreflightReading reading, Func<HostSnapshot, HostSnapshot> change) => reading with { Host = change(reading.Host) };

    public static PreflightReading With(this PreflightReading reading, Func<EngineSnapshot, EngineSnapshot> change) => reading with { Engine = change(reading.Engine!) };

    public static PreflightReading With(this PreflightReading reading, Func<EngineInfo, EngineInfo> change) => reading.With(engine => engine with { Info = change(engine.Info) });

    public static PreflightReading With(this PreflightReading reading, Func<KindSpec, KindSpec> change) => reading with { Topology = reading.Topology with { Kind = change(reading.Kind) } };

    public static PreflightReading With(this PreflightReading reading, params ClusterSpec[] clusters) => reading with { Topology = reading.Topology with { Clusters = clusters } };
}
