using System.Net;
using System.Net.Sockets;
using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>What the settings of kind clusters demand of each other.</summary>
internal sealed class KindRules
{
    private readonly MeshTopology _topology;
    private readonly KindSpec _kind;
    private readonly Func<int, string, string> _place;
    private readonly Func<string, string> _kindPlace;

    private KindRules(MeshTopology topology, Func<int, string, string> place, Func<string, string> kindPlace) =>
        (_topology, _kind, _place, _kindPlace) = (topology, topology.Kind, place, kindPlace);

    /// <summary>All problems.</summary>
    public static IEnumerable<Problem> Check(MeshTopology topology, Func<int, string, string> place, Func<string, string> kindPlace)
    {
        var rules = new KindRules(topology, place, kindPlace);
        return
        [
            .. rules.PoolSizes(), .. rules.Families(), .. rules.Network(), .. rules.Addressing(), .. rules.LoadBalancers(), .. rules.Registries(),
        ];
    }

    private IEnumerable<Problem> PoolSizes()
    {
        var balancer = _kind.LoadBalancer;
        if (!int.IsPow2(balancer.PoolSize)) yield return NoPower("loadBalancer.poolSize", balancer.PoolSize);
        if (!int.IsPow2(balancer.MinPoolSize)) yield return NoPower("loadBalancer.minPoolSize", balancer.MinPoolSize);
        else if (balancer.MinPoolSize > balancer.PoolSize && int.IsPow2(balancer.PoolSize))
        {
            yield return new Problem(
                "MT0126",
                _kindPlace("loadBalancer.minPoolSize"),
                $"minPoolSize is {balancer.MinPoolSize}, and poolSize is {balancer.PoolSize}.",
                "Write a minPoolSize that is not above poolSize.");
        }
    }

    private Problem NoPower(string key, int size) =>
        new Problem(
            "MT0126",
            _kindPlace(key),
            $"{key} is {size}, which is no power of two.",
            $"Write {1 << int.Log2(size)} or {1 << Math.Min(int.Log2(size) + 1, 16)}: pools are aligned blocks.");

    private IEnumerable<Problem> Families()
    {
        var family = _kind.IpFamily;
        var (fours, sixes) = (family == IpFamily.IPv6 ? 0 : 1, family == IpFamily.IPv4 ? 0 : 1);
        for (var i = 0; i < _topology.Clusters.Count; i++)
        {
            var cluster = _topology.Clusters[i];
            foreach (var (key, networks) in new[] { ("podSubnet", cluster.PodSubnets), ("serviceSubnet", cluster.ServiceSubnets) })
            {
                if (networks.Count == 0 || (networks.Count(IsIPv4) == fours && networks.Count(n => !IsIPv4(n)) == sixes)) continue;
                yield return new Problem(
                    "MT0127",
                    _place(i, key),
                    $"The {key} {string.Join(", ", networks)} of {cluster.Name} does not fit ipFamily {Text.Lower(family)}, which takes {Needed(family)}.",
                    "Mend the ranges, or set ipFamily (--ip-family).");
            }

            var stranger = cluster.Kind.LoadBalancerPool.FirstOrDefault(p => (p.Family == AddressFamily.InterNetwork ? fours : sixes) == 0);
            if (stranger is not null)
            {
                yield return new Problem(
                    "MT0127",
                    _place(i, "loadBalancer"),
                    $"The load balancer's pool {stranger} of {cluster.Name} does not fit ipFamily {Text.Lower(family)}.",
                    "Mend the pool, or set ipFamily (--ip-family).");
            }
        }

        if (_kind.Ipv6Gateway && family != IpFamily.Dual)
        {
            yield return new Problem(
                "MT0127",
                _kindPlace("ipv6gw"),
                $"It is for dual-stack clusters, and ipFamily is {Text.Lower(family)}.",
                "Leave it out, or set --ip-family=dual.");
        }
    }

    private IEnumerable<Problem> Network()
    {
        var (network, family) = (_kind.Network, _kind.IpFamily);
        var (fours, sixes) = (network.Subnets.Count(IsIPv4), network.Subnets.Count(n => !IsIPv4(n)));
        if (!network.Create && (network.Subnets.Count > 0 || network.IpRange is not null))
        {
            var key = network.Subnets.Count > 0 ? "network.subnet" : "network.ipRange";
            yield return new Problem(
                "MT0128",
                _kindPlace(key),
                $"{key} holds for a network that is made beforehand only, and network.create is false.",
                "Write create: true beside it, or take it out.");
        }
        else if (fours > 1 || sixes > 1)
        {
            yield return new Problem(
                "MT0128",
                _kindPlace("network.subnet"),
                "network.subnet has two ranges of one IP family.",
                "Write one range, or one of each family.");
        }
        else if (network.Subnets.Count > 0 && ((family != IpFamily.IPv6 && fours == 0) || (family != IpFamily.IPv4 && sixes == 0)))
        {
            yield return new Problem(
                "MT0127",
                _kindPlace("network.subnet"),
                $"network.subnet does not fit ipFamily {Text.Lower(family)}, which takes {Needed(family)}.",
                "Mend the ranges, or set ipFamily (--ip-family).");
        }
        else if (network.IpRange is { } part && !network.Subnets.Any(n => IpRange.Of(n).Contains(IpRange.Of(part))))
        {
            yield return new Problem(
                "MT0128",
                _kindPlace("network.ipRange"),
                $"network.ipRange {part} lies in no range of network.subnet.",
                "Write a part of the network's IPv4 range.");
        }
    }

    private IEnumerable<Problem> Addressing()
    {
        var addressing = _kind.Addressing;
        if (addressing.PodPrefix < addressing.PodBase.PrefixLength)
        {
            yield return TooWide("addressing.podPrefix", addressing.PodPrefix, addressing.PodBase);
        }
        if (addressing.ServicePrefix < addressing.ServiceBase.PrefixLength)
        {
            yield return TooWide("addressing.servicePrefix", addressing.ServicePrefix, addressing.ServiceBase);
        }

        // kubeadm gives each node a /24 of the IPv4 pods; a kind configuration of the user's own may say otherwise.
        if (_kind.KindConfigFile is not null) yield break;
        const int OfNode = 24;
        for (var i = 0; i < _topology.Clusters.Count; i++)
        {
            var (cluster, kind) = (_topology.Clusters[i], _topology.Clusters[i].Kind);
            var nodes = kind.ControlPlanes + kind.WorkersIn(_topology.Mode);
            foreach (var range in cluster.PodSubnets.Where(n => kind.KindConfig is null && IsIPv4(n)))
            {
                if (range.PrefixLength <= OfNode && nodes <= 1L << (OfNode - range.PrefixLength)) continue;
                yield return new Problem(
                    "MT0129",
                    _place(i, "podSubnet"),
                    $"The podSubnet {range} of {cluster.Name} is too small: each node takes a /{OfNode} of it, and there {(nodes == 1 ? "is 1 node" : $"are {nodes} nodes")}.",
                    "Write a wider range, such as a /16.");
            }
        }
    }

    private Problem TooWide(string key, int prefix, IPNetwork whole) =>
        new Problem(
            "MT0129",
            _kindPlace(key),
            $"{key} is {prefix}, which is more than all of {whole}.",
            $"Write {whole.PrefixLength} or more, or a wider base.");

    private IEnumerable<Problem> LoadBalancers()
    {
        var balancer = _kind.LoadBalancer;
        var isMetalLb = balancer.Kind == LoadBalancerKind.MetalLb;
        var ours = $"the load balancer is {(balancer.Kind == LoadBalancerKind.None ? "none" : "cloud-provider-kind")}";
        if (balancer.IpSpace is { } space)
        {
            var place = _kindPlace("ip-space");
            if (!isMetalLb)
            {
                yield return new Problem(
                    "MT0130", place, $"It pins addresses of MetalLB, and {ours}.", "Leave it out, or set --lb=metallb.");
            }
            else if (_topology.Clusters.FirstOrDefault(c => c.Kind.LoadBalancerPool.Count > 0) is { } other)
            {
                yield return new Problem("MT0130", place, $"{other.Name} names a pool of its own.", "Leave one of the two out.");
            }
            else if (space - _topology.Clusters.Count + 1 < 0)
            {
                yield return new Problem(
                    "MT0130",
                    place,
                    $"Each cluster takes the space below that of the one before, and from {space} down there are not {_topology.Clusters.Count}.",
                    $"Write at least {Math.Min(_topology.Clusters.Count - 1, 255)}, or leave it out.");
            }
        }

        if (!isMetalLb && (balancer.Manifest ?? balancer.ManifestSha256) is not null)
        {
            yield return new Problem(
                "MT0130", _kindPlace("loadBalancer.manifest"), $"It is about MetalLB, and {ours}.", "Leave it out, or choose metallb.");
        }
        if (isMetalLb && balancer is { IsManifestFetched: true, ManifestSha256: null })
        {
            yield return new Problem(
                "MT0131",
                _kindPlace("loadBalancer.manifest"),
                "A manifest from an address needs the SHA-256 that it must have.",
                "Add manifestSha256 (--metallb-sha256), or name a file.");
        }

        for (var i = 0; i < _topology.Clusters.Count; i++)
        {
            var (cluster, kind) = (_topology.Clusters[i], _topology.Clusters[i].Kind);
            if (!isMetalLb && kind.LoadBalancerPool.Count > 0)
            {
                yield return new Problem(
                    "MT0130",
                    _place(i, "loadBalancer"),
                    $"The pool of {cluster.Name} is for MetalLB, and {ours}.",
                    "Take it out, or choose metallb.");
            }
        }
    }

    private IEnumerable<Problem> Registries()
    {
        var registries = _kind.Registries;
        for (var i = 1; i < registries.Count; i++)
        {
            var (registry, before) = (registries[i], registries.Take(i));
            var host = Hosts(registry).FirstOrDefault(h => before.Any(b => Hosts(b).Contains(h, StringComparer.OrdinalIgnoreCase)));
            var what = before.Any(b => b.Name == registry.Name) ? $"name {registry.Name}"
                : before.Any(b => b.HostPort == registry.HostPort) ? $"hostPort {registry.HostPort}"
                : host is null ? null : $"host {host}";
            if (what is not null)
            {
                yield return new Problem("MT0133", _kindPlace("registries"), $"Two registries have the {what}.", "Give each its own.");
            }
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

}
