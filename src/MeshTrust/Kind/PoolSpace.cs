using System.Net;
using System.Net.Sockets;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>The part of a container network from which load balancers may give out addresses.</summary>
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
        _claims = [new($"the gateway {gateway}", IpRange.Of(gateway)), .. subnet.Auxiliary.Select(a => new AddressClaim($"the auxiliary address {a}", IpRange.Of(a))), .. members];
        _pools = [.. pools];
        var usable = IsEmpty ? 0 : _last - _first + 1;
        var reserve = usable >= 4096 ? 1024 : UInt128.Max(32, usable / 4);
        ForContainers = subnet.IpRange is { } range ? IpRange.Of(range)
            : IsEmpty ? all : IpRange.Of(_first, UInt128.Min(_last, _first + reserve - 1), all.Family);
    }

    internal string Network { get; }

    internal IPNetwork Subnet { get; }

    internal AddressFamily Family => Subnet.BaseAddress.AddressFamily;

    /// <summary>Whether it is too small for anything.</summary>
    internal bool IsEmpty { get; }

    /// <summary>What the engine gives to containers.</summary>
    internal IpRange ForContainers { get; }

    /// <summary>Whether a pool lies between the first and the last address that can be given out.</summary>
    internal bool Holds(IpRange pool) => !IsEmpty && pool.Family == Family && pool.FirstNumber >= _first && pool.LastNumber <= _last;

    /// <summary>The gateway, a container or the like that has an address of a pool; null for none.</summary>
    internal AddressClaim? Member(IpRange pool) => _claims.Find(c => c.Range.Overlaps(pool));

    /// <summary>Another cluster's pool that overlaps; null for none.</summary>
    internal AddressClaim? Pool(IpRange pool) => _pools.Find(c => c.Range.Overlaps(pool));

    internal void Take(AddressClaim pool) => _pools.Add(pool);

    /// <summary>How many addresses nobody has.</summary>
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

    /// <summary>Pools of one size from the top down, aligned to it; null where there are too few.</summary>
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
            // The next aligned block that ends before what was found.
            if (next < length || (start = next - length) < _first) return blocks.Count == count ? blocks : null;
        }

        return blocks;
    }

    private IEnumerable<IpRange> Taken => [.. _claims.Concat(_pools).Select(c => c.Range).Where(r => r.Family == Family), ForContainers];
}
