using System.Net;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>The addresses that the engine's networks, the machine's routes and other clusters have.</summary>
internal sealed class OccupiedAddresses
{
    /// <summary>A VPN that takes all traffic sets routes as short as these, since they win over the default route.</summary>
    private const int VpnPrefix = 3;

    private static readonly string[] VpnInterfaces = ["tun", "tap", "utun", "wg", "ppp", "ipsec", "tailscale", "zt", "vpn", "cscotun", "gpd", "nordlynx"];

    private static readonly AddressClaim[] Reserved =
    [
        new("reserved: this host", IpRange.Of(IPNetwork.Parse("0.0.0.0/8"))),
        new("reserved: loopback", IpRange.Of(IPNetwork.Parse("127.0.0.0/8"))),
        new("reserved: link-local", IpRange.Of(IPNetwork.Parse("169.254.0.0/16"))),
        new("reserved: multicast and above", IpRange.Of(IPNetwork.Parse("224.0.0.0/3"))),
        new("reserved: loopback", IpRange.Of(IPNetwork.Parse("::/127"))),
        new("reserved: link-local", IpRange.Of(IPNetwork.Parse("fe80::/10"))),
        new("reserved: multicast", IpRange.Of(IPNetwork.Parse("ff00::/8"))),
    ];

    // What kind gives a cluster that names no ranges.
    private static readonly string[] KindDefaults = ["10.244.0.0/16", "10.96.0.0/16", "fd00:10:244::/56", "fd00:10:96::/112"];

    internal OccupiedAddresses(EngineSnapshot snapshot, IReadOnlySet<string> ours, IReadOnlyList<AddressClaim> others)
    {
        Networks = [.. snapshot.Networks.SelectMany(n => n.Subnets.Select(s => new AddressClaim($"container network \"{n.Name}\" ({s.Range})", IpRange.Of(s.Range))))];
        var routes = snapshot.Routes.Where(r => !IsOfEngine(r, snapshot)).Distinct().ToList();
        Vpns = [.. routes.Where(r => r.Range.PrefixLength <= VpnPrefix)];
        Routes = [.. routes.Where(r => r.Range.PrefixLength > VpnPrefix).Select(r => new AddressClaim($"the route {r.Range} via {r.Interface}", IpRange.Of(r.Range)))];
        Soft =
        [
            .. snapshot.KindClusters.Where(c => !ours.Contains(c)).SelectMany(c => KindDefaults.Select(d => new AddressClaim($"kind cluster \"{c}\"", IpRange.Parse(d)))),
            .. others,
        ];
    }

    /// <summary>The ranges of container networks.</summary>
    internal IReadOnlyList<AddressClaim> Networks { get; }

    /// <summary>The machine's routes, apart from those that lead into container networks and those of <see cref="Vpns"/>.</summary>
    internal IReadOnlyList<AddressClaim> Routes { get; }

    /// <summary>Routes that stand for all traffic: they say nothing of who has which addresses.</summary>
    internal IReadOnlyList<HostRoute> Vpns { get; }

    /// <summary>What other clusters have or may have: it is avoided, but is no error for a range that the user named.</summary>
    internal IReadOnlyList<AddressClaim> Soft { get; }

    /// <summary>What no cluster can have.</summary>
    internal static IReadOnlyList<AddressClaim> Unusable => Reserved;

    internal IEnumerable<AddressClaim> All => [.. Reserved, .. Networks, .. Routes, .. Soft];

    private static bool IsOfEngine(HostRoute route, EngineSnapshot snapshot)
    {
        var name = route.Interface;
        if (name == "lo" || name.StartsWith("docker", StringComparison.Ordinal) || name.StartsWith("podman", StringComparison.Ordinal) || name.StartsWith("cni-podman", StringComparison.Ordinal)) return true;
        if (name.StartsWith("br-", StringComparison.Ordinal) && snapshot.Networks.Any(n => n.Id.StartsWith(name[3..], StringComparison.Ordinal))) return true;
        // A bridge of any other name: the network itself says what it has.
        return snapshot.Networks.Any(n => n.Subnets.Any(s => s.Range.Equals(route.Range))) && !VpnInterfaces.Any(v => name.StartsWith(v, StringComparison.Ordinal));
    }
}
