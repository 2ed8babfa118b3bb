using System.Net;
using System.Net.Sockets;
using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>Checks the settings of kind clusters against each other.</summary>
internal sealed class KindRules(MeshTopology topology, Func<int, string, string> place, Func<string, string> kindPlace)
{
    private const string SetFamily = "or set ipFamily (--ip-family).";

    private readonly List<Problem> _problems = [];
    private readonly KindSpec _kind = topology.Kind;

    public IReadOnlyList<Problem> Check()
    {
        PoolSizes(_kind.LoadBalancer);
        Families(_kind.IpFamily);
        Network(_kind.Network, _kind.IpFamily);
        Addressing(_kind.Addressing);
        LoadBalancers(_kind.LoadBalancer);
        Registries(_kind.Registries);
        return _problems;
    }

    private void PoolSizes(LoadBalancerSpec balancer)
    {
        var (size, least) = (balancer.PoolSize, balancer.MinPoolSize);
        foreach (var (key, value) in new[] { ("loadBalancer.poolSize", size), ("loadBalancer.minPoolSize", least) })
        {
            if (int.IsPow2(value)) continue;
            var nearest = $"{1 << int.Log2(value)} or {1 << Math.Min(int.Log2(value) + 1, 16)}";
            Wrong("MT0126", key, $"{key} is {value}, which is not a power of two.", $"Use {nearest}: pools are aligned blocks.");
        }

        if (!int.IsPow2(size) || !int.IsPow2(least) || least <= size) return;
        const string Remedy = "Use a minPoolSize no larger than poolSize.";
        Wrong("MT0126", "loadBalancer.minPoolSize", $"minPoolSize is {least}, but poolSize is {size}.", Remedy);
    }

    private void Families(IpFamily family)
    {
        var (fours, sixes) = (family == IpFamily.IPv6 ? 0 : 1, family == IpFamily.IPv4 ? 0 : 1);
        foreach (var (i, cluster) in topology.Clusters.Index())
        {
            var misfit = $"of {cluster.Name} does not match ipFamily {Text.Lower(family)}";
            foreach (var (key, networks) in new[] { ("podSubnet", cluster.PodSubnets), ("serviceSubnet", cluster.ServiceSubnets) })
            {
                if (networks.Count == 0 || (networks.Count(IsIPv4) == fours && networks.Count(n => !IsIPv4(n)) == sixes)) continue;
                var ranges = string.Join(", ", networks);
                Wrong("MT0127", i, key, $"The {key} {ranges} {misfit}, which needs {Needed(family)}.", $"Fix the ranges, {SetFamily}");
            }

            var stranger = cluster.Kind.LoadBalancerPool.FirstOrDefault(p => (p.Family == AddressFamily.InterNetwork ? fours : sixes) == 0);
            if (stranger is null) continue;
            Wrong("MT0127", i, "loadBalancer", $"The load balancer's pool {stranger} {misfit}.", $"Fix the pool, {SetFamily}");
        }

        if (!_kind.Ipv6Gateway || family == IpFamily.Dual) return;
        var what = $"Only for dual-stack clusters, but ipFamily is {Text.Lower(family)}.";
        Wrong("MT0127", "ipv6gw", what, "Remove it, or set --ip-family=dual.");
    }

    private void Network(ContainerNetworkSpec network, IpFamily family)
    {
        const string Subnet = "network.subnet";
        var (fours, sixes) = (network.Subnets.Count(IsIPv4), network.Subnets.Count(n => !IsIPv4(n)));
        var hasSubnets = network.Subnets.Count > 0;
        if (!network.Create && (hasSubnets || network.IpRange is not null))
        {
            var key = hasSubnets ? Subnet : "network.ipRange";
            var what = $"{key} applies only to a network that MeshTrust creates, but network.create is false.";
            Wrong("MT0128", key, what, "Set network.create: true, or remove it.");
        }
        else if (fours > 1 || sixes > 1)
            Wrong("MT0128", Subnet, $"{Subnet} has two ranges of the same IP family.", "Use one range, or one per family.");
        else if (hasSubnets && ((family != IpFamily.IPv6 && fours == 0) || (family != IpFamily.IPv4 && sixes == 0)))
        {
            var what = $"{Subnet} does not match ipFamily {Text.Lower(family)}, which needs {Needed(family)}.";
            Wrong("MT0127", Subnet, what, $"Fix the ranges, {SetFamily}");
        }
        else if (network.IpRange is { } part && !network.Subnets.Any(n => IpRange.Of(n).Contains(IpRange.Of(part))))
            Wrong("MT0128", "network.ipRange", $"network.ipRange {part} is not within {Subnet}.", "Use part of the network's IPv4 range.");
    }

    private void Addressing(AddressingSpec addressing)
    {
        TooWide("addressing.podPrefix", addressing.PodPrefix, addressing.PodBase);
        TooWide("addressing.servicePrefix", addressing.ServicePrefix, addressing.ServiceBase);

        // kubeadm gives each node a /24 of the IPv4 pod range, unless the user's own kind configuration says otherwise.
        if (_kind.KindConfigFile is not null) return;
        const int OfNode = 24;
        foreach (var (i, cluster) in topology.Clusters.Index())
        {
            var nodes = cluster.Kind.ControlPlanes + cluster.Kind.WorkersIn(topology.Mode);
            foreach (var range in cluster.PodSubnets.Where(n => cluster.Kind.KindConfig is null && IsIPv4(n)))
            {
                if (range.PrefixLength <= OfNode && nodes <= 1L << (OfNode - range.PrefixLength)) continue;
                var there = nodes == 1 ? "there is 1 node" : $"there are {nodes} nodes";
                var what = $"The podSubnet {range} of {cluster.Name} is too small: each node takes a /{OfNode}, and {there}.";
                Wrong("MT0129", i, "podSubnet", what, "Use a wider range, such as a /16.");
            }
        }

        void TooWide(string key, int prefix, IPNetwork whole)
        {
            if (prefix >= whole.PrefixLength) return;
            Wrong("MT0129", key, $"{key} is {prefix}, which is wider than {whole}.", $"Use {whole.PrefixLength} or more, or a wider base.");
        }
    }

    private void LoadBalancers(LoadBalancerSpec balancer)
    {
        const string Manifest = "loadBalancer.manifest";
        var isMetalLb = balancer.Kind == LoadBalancerKind.MetalLb;
        var other = $"the load balancer is {(balancer.Kind == LoadBalancerKind.None ? "none" : "cloud-provider-kind")}";
        if (balancer.IpSpace is { } space) IpSpace(space, isMetalLb, other);
        if (!isMetalLb && (balancer.Manifest ?? balancer.ManifestSha256) is not null)
            Wrong("MT0130", Manifest, $"Only for MetalLB, but {other}.", "Remove it, or use metallb.");
        if (isMetalLb && balancer is { IsManifestFetched: true, ManifestSha256: null })
        {
            const string What = "A manifest from a URL needs a SHA-256 checksum.";
            Wrong("MT0131", Manifest, What, "Add manifestSha256 (--metallb-sha256), or use a local file.");
        }

        if (isMetalLb) return;
        foreach (var (i, cluster) in topology.Clusters.Index().Where(c => c.Item.Kind.LoadBalancerPool.Count > 0))
            Wrong("MT0130", i, "loadBalancer", $"The pool of {cluster.Name} is for MetalLB, but {other}.", "Remove it, or use metallb.");
    }

    private void IpSpace(int space, bool isMetalLb, string other)
    {
        var count = topology.Clusters.Count;
        if (!isMetalLb) Wrong("MT0130", "ip-space", $"Only for MetalLB, but {other}.", "Remove it, or set --lb=metallb.");
        else if (topology.Clusters.FirstOrDefault(c => c.Kind.LoadBalancerPool.Count > 0) is { } named)
            Wrong("MT0130", "ip-space", $"Conflicts with the pool of {named.Name}.", "Remove one of the two.");
        else if (space + 1 < count)
        {
            var what = $"Too low for {count} clusters: each one uses the number below the previous one's.";
            Wrong("MT0130", "ip-space", what, $"Use at least {Math.Min(count - 1, 255)}, or remove it.");
        }
    }

    private void Registries(IReadOnlyList<RegistrySpec> registries)
    {
        for (var i = 1; i < registries.Count; i++)
        {
            var (registry, before) = (registries[i], registries.Take(i).ToList());
            var host = Hosts(registry).FirstOrDefault(h => before.Exists(b => Hosts(b).Contains(h, StringComparer.OrdinalIgnoreCase)));
            var what = before.Exists(b => b.Name == registry.Name) ? $"name {registry.Name}"
                : before.Exists(b => b.HostPort == registry.HostPort) ? $"hostPort {registry.HostPort}"
                : host is null ? null : $"host {host}";
            if (what is not null) Wrong("MT0133", "registries", $"Two registries share the {what}.", "Give each registry its own.");
        }
    }

    private static IReadOnlyList<string> Hosts(RegistrySpec registry) =>
        registry.Aliases.Count > 0 ? registry.Aliases : [$"localhost:{registry.HostPort}"];

    private static bool IsIPv4(IPNetwork network) => network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;

    private static string Needed(IpFamily family) => family switch
    {
        IpFamily.IPv4 => "one IPv4 range",
        IpFamily.IPv6 => "one IPv6 range",
        _ => "an IPv4 and an IPv6 range",
    };

    private void Wrong(string id, string key, string what, string remedy) => _problems.Add(new Problem(id, kindPlace(key), what, remedy));

    private void Wrong(string id, int cluster, string key, string what, string remedy) =>
        _problems.Add(new Problem(id, place(cluster, key), what, remedy));
}
