using System.Net;
using System.Net.Sockets;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>Addresses that are in use, and by what.</summary>
internal sealed record AddressClaim(string Owner, IpRange Range);

/// <summary>The addresses used by the engine's networks, the machine's routes and other clusters.</summary>
internal sealed class OccupiedAddresses
{
    /// <summary>A VPN that captures all traffic sets prefixes this short, because they win over the default route.</summary>
    private const int VpnPrefix = 3;

    private static readonly string[] VpnInterfaces =
        ["tun", "tap", "utun", "wg", "ppp", "ipsec", "tailscale", "zt", "vpn", "cscotun", "gpd", "nordlynx"];

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

    // kind's defaults for a cluster that names no ranges.
    private static readonly string[] KindDefaults = ["10.244.0.0/16", "10.96.0.0/16", "fd00:10:244::/56", "fd00:10:96::/112"];

    internal OccupiedAddresses(EngineSnapshot snapshot, IReadOnlySet<string> ours, IReadOnlyList<AddressClaim> others)
    {
        Networks =
        [
            .. from network in snapshot.Networks
               from subnet in network.Subnets
               select new AddressClaim($"container network \"{network.Name}\" ({subnet.Range})", IpRange.Of(subnet.Range)),
        ];
        var routes = snapshot.Routes.Where(r => !IsOfEngine(r, snapshot)).Distinct().ToList();
        Vpns = [.. routes.Where(r => r.Range.PrefixLength <= VpnPrefix)];
        Routes =
        [
            .. from route in routes.Except(Vpns)
               select new AddressClaim($"the route {route.Range} via {route.Interface}", IpRange.Of(route.Range)),
        ];
        Soft =
        [
            .. from cluster in snapshot.KindClusters
               where !ours.Contains(cluster)
               from range in KindDefaults
               select new AddressClaim($"kind cluster \"{cluster}\"", IpRange.Parse(range)),
            .. others,
        ];
    }

    internal IReadOnlyList<AddressClaim> Networks { get; }

    /// <summary>The machine's routes, except those into container networks and those of <see cref="Vpns"/>.</summary>
    internal IReadOnlyList<AddressClaim> Routes { get; }

    /// <summary>Routes that capture all traffic: they do not show which addresses are in use.</summary>
    internal IReadOnlyList<HostRoute> Vpns { get; }

    /// <summary>Ranges that other clusters use or may use: avoided in planning, but not an error for a range that the user named.</summary>
    internal IReadOnlyList<AddressClaim> Soft { get; }
    internal static IReadOnlyList<AddressClaim> Unusable => Reserved;
    internal IEnumerable<AddressClaim> All => [.. Reserved, .. Networks, .. Routes, .. Soft];

    private static bool IsOfEngine(HostRoute route, EngineSnapshot snapshot)
    {
        if (route.Interface == "lo" || HasPrefix("docker") || HasPrefix("podman") || HasPrefix("cni-podman")) return true;
        if (HasPrefix("br-") && snapshot.Networks.Any(n => n.Id.StartsWith(route.Interface[3..], StringComparison.Ordinal))) return true;
        // A bridge with any other name: its network already lists its ranges.
        return snapshot.Networks.Any(n => n.Subnets.Any(s => s.Range.Equals(route.Range))) && !VpnInterfaces.Any(HasPrefix);

        bool HasPrefix(string prefix) => route.Interface.StartsWith(prefix, StringComparison.Ordinal);
    }
}

/// <summary>
/// Assigns ranges of one size from a base, in the order of Istio's own topologies: every step-th first, then those in between.
/// </summary>
internal sealed class SubnetSearch(IPNetwork within, int prefix, int step)
{
    private const int MostCandidates = 1 << 17;
    private readonly UInt128 _count = prefix < within.PrefixLength ? 0 : UInt128.One << Math.Min(prefix - within.PrefixLength, 127);
    private readonly UInt128 _size = IpNumber.Size(within.BaseAddress.AddressFamily, prefix);
    private readonly UInt128 _step = (UInt128)Math.Max(1, step);
    private UInt128 _lap;
    private UInt128 _index = (UInt128)Math.Max(1, step);
    private int _tried;
    internal IPNetwork Within => within;
    internal int Prefix => prefix;

    internal IPNetwork? Next(IReadOnlyList<IpRange> taken)
    {
        var whole = IpRange.Of(within);
        if (taken.Any(t => t.Contains(whole))) return null;
        while (_tried++ < MostCandidates && Advance() is { } candidate)
        {
            var range = IpRange.Of(candidate);
            if (!taken.Any(range.Overlaps)) return candidate;
        }

        return null;
    }

    private IPNetwork? Advance()
    {
        while (_lap < _step && _lap < _count)
        {
            if (_index < _count)
            {
                var first = IpNumber.Of(within.BaseAddress) + (_index * _size);
                _index += _step;
                return new IPNetwork(IpNumber.ToAddress(first, within.BaseAddress.AddressFamily), prefix);
            }

            _lap++;
            _index = _lap;
        }

        if (_lap > _step || _count == 0) return null;
        // The base itself comes last; Istio's scheme leaves it out.
        _lap = _step + 1;
        return new IPNetwork(within.BaseAddress, prefix);
    }
}

/// <summary>The part of a container network from which load balancers may assign addresses.</summary>
internal sealed class PoolSpace
{
    // RFC 2526: the last 128 addresses of an IPv6 subnet are anycast addresses.
    private const int AnycastAddresses = 128;
    private readonly UInt128 _first;
    private readonly UInt128 _last;
    private readonly List<AddressClaim> _claims;
    private readonly List<AddressClaim> _pools;

    internal PoolSpace(string network, EngineSubnet subnet, IEnumerable<AddressClaim> members, IEnumerable<AddressClaim> pools)
    {
        Network = network;
        Subnet = subnet.Range;
        var all = IpRange.Of(subnet.Range);
        var isV4 = all.Family == AddressFamily.InterNetwork;
        var tail = (UInt128)(isV4 ? 1 : AnycastAddresses);
        IsEmpty = all.Size < tail + 3;
        _first = all.FirstNumber + 1;
        _last = IsEmpty ? all.FirstNumber : all.LastNumber - tail;
        var gateway = subnet.Gateway ?? IpNumber.ToAddress(_first, all.Family);
        _claims =
        [
            new($"the gateway {gateway}", IpRange.Of(gateway)),
            .. subnet.Auxiliary.Select(a => new AddressClaim($"the auxiliary address {a}", IpRange.Of(a))),
            .. members,
        ];
        _pools = [.. pools];
        var usable = IsEmpty ? 0 : _last - _first + 1;
        var reserve = usable >= 4096 ? 1024 : UInt128.Max(32, usable / 4);
        ForContainers = subnet.IpRange is { } range ? IpRange.Of(range)
            : IsEmpty ? all : IpRange.Of(_first, UInt128.Min(_last, _first + reserve - 1), all.Family);
    }

    internal string Network { get; }
    internal IPNetwork Subnet { get; }
    internal AddressFamily Family => Subnet.BaseAddress.AddressFamily;
    internal bool IsEmpty { get; }
    internal IpRange ForContainers { get; }

    internal bool Holds(IpRange pool) => !IsEmpty && pool.Family == Family && pool.FirstNumber >= _first && pool.LastNumber <= _last;
    internal AddressClaim? Member(IpRange pool) => _claims.Find(c => c.Range.Overlaps(pool));
    internal AddressClaim? Pool(IpRange pool) => _pools.Find(c => c.Range.Overlaps(pool));
    internal void Take(AddressClaim pool) => _pools.Add(pool);

    internal UInt128 Free
    {
        get
        {
            if (IsEmpty) return 0;
            UInt128 free = 0;
            var at = _first;
            foreach (var claim in Taken.OrderBy(r => r.FirstNumber))
            {
                if (claim.FirstNumber > _last) break;
                if (claim.FirstNumber > at) free += claim.FirstNumber - at;
                if (claim.LastNumber >= at) at = claim.LastNumber + 1;
            }

            return at > _last ? free : free + (_last - at + 1);
        }
    }

    /// <summary>Pools of one size from the top down, aligned to it; null if there are too few.</summary>
    internal IReadOnlyList<IpRange>? Blocks(int count, int size)
    {
        var blocks = new List<IpRange>();
        var length = (UInt128)size;
        if (IsEmpty || _last < length) return null;
        var taken = Taken.ToList();
        // One block may begin at _last - length + 1 at most.
        var start = (_last - length + 1) / length * length;
        while (blocks.Count < count)
        {
            if (start < _first) return null;
            var block = IpRange.Of(start, start + length - 1, Family);
            var owner = taken.Where(block.Overlaps).MinBy(t => t.FirstNumber);
            if (owner is null) blocks.Add(block);
            var next = owner is null ? start : UInt128.Min(start, owner.FirstNumber / length * length);
            // The next aligned block that ends before the conflict.
            if (next < length || (start = next - length) < _first) return blocks.Count == count ? blocks : null;
        }

        return blocks;
    }

    private IEnumerable<IpRange> Taken => [.. _claims.Concat(_pools).Select(c => c.Range).Where(r => r.Family == Family), ForContainers];
}
