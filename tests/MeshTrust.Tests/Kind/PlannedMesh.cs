using System.Net;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Kind;

/// <summary>Example meshes and engines for planning.</summary>
internal static class PlannedMesh
{
    internal static EngineInfo Docker { get; } = new() { Engine = ContainerEngineChoice.Docker, Version = "28.2.2", Architecture = "amd64" };

    internal static ClusterSpec Cluster(int number, string? network = null, string? pods = null, string? services = null, KindClusterSpec? hosting = null) => new()
    {
        Name = ClusterName.Parse($"cluster{number}"),
        Network = network,
        PodSubnets = [.. (pods?.Split(',') ?? []).Select(System.Net.IPNetwork.Parse)],
        ServiceSubnets = [.. (services?.Split(',') ?? []).Select(System.Net.IPNetwork.Parse)],
        Kind = hosting ?? KindClusterSpec.Default,
    };

    internal static MeshTopology Mesh(params ClusterSpec[] clusters) => new() { Clusters = clusters };

    internal static MeshTopology Mesh(int count, IpFamily family = IpFamily.IPv4) =>
        Mesh([.. Enumerable.Range(1, count).Select(n => Cluster(n))]).With(h => h with { IpFamily = family });

    internal static MeshTopology With(this MeshTopology mesh, Func<KindSpec, KindSpec> change) => mesh with { Kind = change(mesh.Kind) };

    internal static EngineNetwork Network(string name, params string[] ranges) => new()
    {
        Id = $"{name}0123456789abcdef",
        Name = name,
        Subnets = [.. ranges.Select(r => new EngineSubnet { Range = IPNetwork.Parse(r) })],
    };

    internal static EngineSnapshot Engine(params EngineNetwork[] networks) => new() { Info = Docker, Networks = networks, Containers = [], KindVersion = "0.31.0" };

    internal static EngineSnapshot Engine(string kindRange) => Engine(Network("kind", kindRange.Split(',')));

    internal static EngineContainer Node(string cluster, string name, string addresses, bool isRunning = true, string image = "kindest/node:v1.35.0") => new()
    {
        Id = $"id-{name}",
        Name = name,
        Image = image,
        IsRunning = isRunning,
        Labels = new Dictionary<string, string>
        {
            ["io.x-k8s.kind.cluster"] = cluster,
            ["io.x-k8s.kind.role"] = name.Contains("worker", StringComparison.Ordinal) ? "worker" : name.Contains("external", StringComparison.Ordinal) ? "external-load-balancer" : "control-plane",
        },
        Addresses = new Dictionary<string, IReadOnlyList<IPAddress>> { ["kind"] = [.. addresses.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse)] },
    };

    internal static HostRoute Route(string range, string device) => new(IPNetwork.Parse(range), device);

    internal static string Pool(this ClusterAddresses addresses) => string.Join(' ', addresses.LoadBalancerPool);

    /// <summary>The plan of each cluster, one per line: pods, services, pool.</summary>
    internal static IReadOnlyList<string> Lines(this AddressPlan plan) => [.. plan.Clusters.Select(c => $"{string.Join(',', c.PodSubnets)} {string.Join(',', c.ServiceSubnets)} {c.Pool()}".TrimEnd())];

    internal static IReadOnlyList<Problem> Problems(Action plan) => Assert.Throws<MeshTrustException>(plan)!.Problems;
}
