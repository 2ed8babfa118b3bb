using System.Net;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>Gives out ranges of one size from a base, in the order of Istio's own topologies: each step-th first, then what lies between.</summary>
internal sealed class SubnetSearch(IPNetwork within, int prefix, int step)
{
    /// <summary>More candidates than that are never free by luck.</summary>
    private const int MostCandidates = 1 << 17;

    private readonly UInt128 _count = prefix < within.PrefixLength ? 0 : UInt128.One << Math.Min(prefix - within.PrefixLength, 127);
    private readonly UInt128 _size = IpNumber.Size(within.BaseAddress.AddressFamily, prefix);
    private readonly UInt128 _step = (UInt128)Math.Max(1, step);
    private UInt128 _lap;
    private UInt128 _index = (UInt128)Math.Max(1, step);
    private int _tried;

    internal IPNetwork Within => within;

    internal int Prefix => prefix;

    /// <summary>The next range that overlaps nothing of what is taken; null where there is none left.</summary>
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
        // Last of all the base itself, which Istio's scheme leaves out.
        _lap = _step + 1;
        return new IPNetwork(within.BaseAddress, prefix);
    }
}
