using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using MeshTrust.Kind;
using MeshTrust.Settings;
using static MeshTrust.Checks.MachineCheck;
using static MeshTrust.IO.Text;

namespace MeshTrust.Checks;

/// <summary>The nodes' network, its addresses, and the load balancers on it.</summary>
internal static class NetworkChecks
{
    private const int MostParts = 4096;
    private static readonly Version FirstStrictAboutPeers = new(1, 36);
    private static readonly Version FirstMetalLbThatFits = new(0, 16, 1);

    // Docker's built-in pools: fifteen /16 of 172.17.0.0 to 172.31.0.0, sixteen /20 of 192.168.0.0.
    private static readonly IReadOnlyList<EngineAddressPool> BuiltInPools =
    [
        .. Enumerable.Range(17, 15).Select(i => new EngineAddressPool(IPNetwork.Parse($"172.{i}.0.0/16"), 16)),
        new EngineAddressPool(IPNetwork.Parse("192.168.0.0/16"), 20),
    ];

    public static IReadOnlyList<Check<PreflightReading>> Rows { get; } =
    [
        OfPlan(ProblemCodes.NetworkAmbiguous, "network name is unique",
            "creating a network is not atomic (docker/cli#614, kubernetes-sigs/kind#1596)",
            reading => $"{Count(reading.NamedNetworks.Count, "network")} named '{reading.Kind.Network.Name}'",
            id => id == ProblemCodes.NetworkAmbiguous),
        Row("MT2230", "address range for the network",
            "Docker's default pools have room for 31 networks, and VPN routes can cover all of them (docker/compose#6153)",
            reading => $"{FreeParts(reading)} of the {Parts(reading).Count()} ranges in Docker's address pools are free",
            AddressRange,
            reading => NotApplicableIf(reading.Engine!.Info.Engine == ContainerEngineChoice.Podman, "Podman has its own pools")
                ?? NotApplicableIf(reading.NamedNetworks.Count > 0, $"the network '{reading.Kind.Network.Name}' already exists")
                ?? NotApplicableIf(reading.Kind.Network.Subnets.Count > 0, "the topology sets one")),
        Row("MT1110", "kernel IPv6",
            "kubernetes-sigs/kind#1544",
            reading => reading.Host.HasIpv6 is true ? "on" : "off",
            reading => reading.Host.HasIpv6 is true
                ? []
                : [Error("--ip-family", "The clusters need IPv6, but it is disabled in this machine's kernel.",
                    "Run: sudo sysctl -w net.ipv6.conf.all.disable_ipv6=0 (or boot without ipv6.disable=1). Or use --ip-family=ipv4.")],
            reading => NotApplicableIf(reading.Kind.IpFamily == IpFamily.IPv4, "the clusters are IPv4")
                ?? NotApplicableIf(IsOfOtherKernel(reading), "the engine's host has its own kernel")
                ?? UnreadIf(reading.Host.HasIpv6 is null, "/proc/net/if_inet6 cannot be read")),
        OfPlan(ProblemCodes.NetworkFamilyMissing, "address families of the network",
            "kind uses an existing network as it is (agent-substrate/substrate#845)",
            reading => $"{string.Join(", ", reading.NamedNetworks.SelectMany(n => n.Subnets).Select(s => s.Range))}; clusters are"
                + $" {Lower(reading.Kind.IpFamily)}",
            id => id == ProblemCodes.NetworkFamilyMissing,
            reading => NotApplicableIf(reading.NamedNetworks.Count == 0, "the network does not exist yet")),
        OfPlan("MT3101", "address ranges do not conflict",
            "pod and service ranges against other clusters, networks and routes (MT3101 to MT3119); both owners are named",
            reading => $"pods and services of {Count(reading.Topology.Clusters.Count, "cluster")} against "
                + $"{Count(reading.Engine!.Networks.Count, "network")} and {Count(reading.Engine.Routes.Count, "route")}",
            id => id is not (ProblemCodes.NetworkAmbiguous or ProblemCodes.NetworkFamilyMissing) && !IsOfPools(id)),
        OfPlan("MT4004", "load-balancer address pools",
            "the network needs addresses for every cluster's load balancers (MT4002 to MT4009)",
            reading => $"for {Count(reading.Topology.Clusters.Count, "cluster")}, {reading.Kind.LoadBalancer.PoolSize} addresses each"
                + $" if there is room, at least {reading.Kind.LoadBalancer.MinPoolSize}",
            IsOfPools, NoMetalLb),
        Row("MT2234", "MetalLB with this Kubernetes",
            "Kubernetes 1.36 rejects BGPPeer objects of older CRDs (metallb/metallb#3034)",
            reading => $"{reading.Kind.LoadBalancer.Version} with Kubernetes {reading.Kubernetes?.ToString() ?? "version chosen by kind"}; "
                + $"{FirstStrictAboutPeers} and newer need v{FirstMetalLbThatFits}",
            MetalLbVersion, NoMetalLb, needsEngine: false),
        Row("MT4030", "cloud-provider-kind",
            "it runs alongside the clusters (MT4030, MT4031)",
            reading => reading.LoadBalancerProblems.Count == 0 ? "running" : "not running",
            reading => reading.LoadBalancerProblems,
            reading => NotApplicableIf(reading.Kind.LoadBalancer.Kind != LoadBalancerKind.CloudProviderKind,
                "it is not the load balancer")),
        Row("MT2228", "load balancer access from this machine",
            "Docker Desktop's network is inside a virtual machine (kubernetes-sigs/kind#3556, docker/for-mac#7334)",
            reading => IsHidden(reading) ? "the network is inside a virtual machine" : "the network is on this machine",
            reading => IsHidden(reading)
                ? [Warning("load balancer",
                    "The nodes' network is inside a virtual machine: load balancers can be reached from the other clusters, but not from"
                    + " this machine.",
                    "Nothing to do for mesh tests. For access from this machine use --lb=cloud-provider-kind.")]
                : [],
            NoMetalLb),
    ];

    private static Check<PreflightReading> OfPlan(
        string id, string title, string source, Func<PreflightReading, string> measure, Func<string, bool> isOwn,
        Func<PreflightReading, Skip?>? skip = null) => Row(id, title, source, measure,
            reading => reading.AddressProblems!.Where(p => isOwn(p.Id)),
            reading => skip?.Invoke(reading) ?? UnreadIf(reading.AddressProblems is null, "the addresses could not be planned"));

    private static bool IsOfPools(string id) => id.StartsWith(ProblemCodes.PoolPrefix, StringComparison.Ordinal);

    private static Skip? NoMetalLb(PreflightReading reading) =>
        NotApplicableIf(reading.Kind.LoadBalancer.Kind != LoadBalancerKind.MetalLb, "MetalLB is not used");

    private static IEnumerable<Problem> AddressRange(PreflightReading reading)
    {
        if (FreeParts(reading) > 0) return [];
        var cover = reading.Engine!.Routes.FirstOrDefault(r => Parts(reading).All(part => Overlap(r.Range, part)));
        var cause = cover is null
            ? $"{Count(reading.Engine.Networks.Count, "network")} and this machine's routes use them"
            : $"the route {cover.Range} by {cover.Interface} covers them";
        return
        [
            Error($"network {reading.Kind.Network.Name}", $"It must be created, but no range in Docker's address pools is free: {cause}.",
                $"{(cover is null ? "Run: docker network prune" : $"Disconnect the VPN on {cover.Interface}")}. Or set network: {{create:"
                + " true, subnet: 10.253.0.0/22} in the topology, or default-address-pools in Docker's daemon.json."),
        ];
    }

    private static int FreeParts(PreflightReading reading)
    {
        var subnets = reading.Engine!.Networks.SelectMany(n => n.Subnets).Select(s => s.Range);
        var taken = subnets.Concat(reading.Engine.Routes.Select(r => r.Range)).ToList();
        return Parts(reading).Count(part => !taken.Any(range => Overlap(range, part)));
    }

    private static IEnumerable<IPNetwork> Parts(PreflightReading reading) =>
        (reading.Engine!.Info.AddressPools is { Count: > 0 } own ? own : BuiltInPools)
            .Where(p => p.Range.BaseAddress.AddressFamily == AddressFamily.InterNetwork && p.Prefix is >= 1 and <= 32)
            .SelectMany(Split);

    private static IEnumerable<IPNetwork> Split(EngineAddressPool pool)
    {
        var first = BinaryPrimitives.ReadUInt32BigEndian(pool.Range.BaseAddress.GetAddressBytes());
        var parts = Math.Min(MostParts, 1L << Math.Max(0, pool.Prefix - pool.Range.PrefixLength));
        var bytes = new byte[4];
        for (var i = 0L; i < parts; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)(first + (i << (32 - pool.Prefix))));
            yield return new IPNetwork(new IPAddress(bytes), pool.Prefix);
        }
    }

    private static bool Overlap(IPNetwork a, IPNetwork b) =>
        a.BaseAddress.AddressFamily == b.BaseAddress.AddressFamily && (a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress));

    private static IEnumerable<Problem> MetalLbVersion(PreflightReading reading)
    {
        var wanted = reading.Kind.LoadBalancer.Version;
        var isOld = Version.TryParse(wanted.TrimStart('v'), out var version) && version < FirstMetalLbThatFits;
        return isOld && reading.Kubernetes >= FirstStrictAboutPeers
            ? [Warning("loadBalancer.version",
                $"Kubernetes {reading.Kubernetes} rejects BGPPeer objects of the MetalLB {wanted} CRDs. Layer 2 mode, which is used here,"
                + " is not affected.",
                $"Use v{FirstMetalLbThatFits} or newer.")]
            : [];
    }

    private static bool IsOfOtherKernel(PreflightReading reading) =>
        reading.Engine!.Info.IsRemote || reading.Host.OperatingSystem != "linux";

    private static bool IsHidden(PreflightReading reading) =>
        reading.Host.OperatingSystem != "linux"
        || reading.Engine!.Info.OperatingSystem.Contains("Docker Desktop", StringComparison.OrdinalIgnoreCase);
}
