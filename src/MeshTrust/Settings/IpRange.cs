using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace MeshTrust.Settings;

/// <summary>
/// Addresses from a first to a last, of one family. <see cref="ToString"/> writes <c>first-last</c>, as MetalLB takes it.
/// </summary>
public sealed record IpRange
{
    private readonly UInt128 _first;
    private readonly UInt128 _last;

    /// <summary>A range with both its ends.</summary>
    /// <exception cref="ArgumentException">The families differ, or the last is before the first.</exception>
    public IpRange(IPAddress first, IPAddress last)
    {
        _first = IpNumber.Of(first);
        _last = IpNumber.Of(last);
        if (first.AddressFamily != last.AddressFamily || _last < _first)
        {
            throw new ArgumentException(
                $"'{first}-{last}' is not a valid range: both ends must be in one family, the first not above the last.", nameof(last));
        }

        First = IpNumber.ToAddress(_first, first.AddressFamily);
        Last = IpNumber.ToAddress(_last, first.AddressFamily);
    }

    /// <summary>The first address.</summary>
    public IPAddress First { get; }

    /// <summary>The last address.</summary>
    public IPAddress Last { get; }

    /// <summary>IPv4 or IPv6.</summary>
    public AddressFamily Family => First.AddressFamily;

    /// <summary>How many addresses it has; the largest number for all of IPv6, which has one more.</summary>
    public UInt128 Size => _last - _first is var span && span == UInt128.MaxValue ? span : span + 1;

    /// <summary>All addresses of a network, its own and the broadcast address too.</summary>
    public static IpRange Of(IPNetwork network)
    {
        var family = network.BaseAddress.AddressFamily;
        var first = IpNumber.Of(network.BaseAddress);
        var isAllOfIPv6 = network.PrefixLength == 0 && family == AddressFamily.InterNetworkV6;
        return Of(first, isAllOfIPv6 ? UInt128.MaxValue : first + (IpNumber.Size(family, network.PrefixLength) - 1), family);
    }

    /// <summary>One address.</summary>
    public static IpRange Of(IPAddress address) => new(address, address);

    /// <summary>Reads <c>first-last</c>, a network such as <c>172.18.255.128/26</c>, or one address.</summary>
    /// <returns>False where the text is none of them.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out IpRange? range)
    {
        range = null;
        var parts = (text ?? "").Trim().Split('-');
        if (parts.Length == 2)
        {
            if (!TryAddress(parts[0], out var first) || !TryAddress(parts[1], out var last)) return false;
            if (first.AddressFamily != last.AddressFamily || IpNumber.Of(last) < IpNumber.Of(first)) return false;
            range = new IpRange(first, last);
            return true;
        }

        var slash = parts[0].IndexOf('/', StringComparison.Ordinal);
        if (parts.Length != 1 || !TryAddress(slash < 0 ? parts[0] : parts[0][..slash], out var one)) return false;
        if (slash < 0) range = Of(one);
        else if (ValueParsers.Subnet(parts[0], out var network) is null) range = Of(network);
        return range is not null;
    }

    /// <summary>Reads a range that is known to be right.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    public static IpRange Parse(string text) =>
        TryParse(text, out var range)
            ? range
            : throw new FormatException($"'{text}' is not a valid address range: use first-last or CIDR notation.");

    /// <summary>Whether an address is in it.</summary>
    public bool Contains(IPAddress address) =>
        address.AddressFamily == Family && IpNumber.Of(address) is var number && number >= _first && number <= _last;

    /// <summary>Whether the whole of another range is in it.</summary>
    public bool Contains(IpRange other) => other.Family == Family && other._first >= _first && other._last <= _last;

    /// <summary>Whether they have an address in common.</summary>
    public bool Overlaps(IpRange other) => other.Family == Family && other._first <= _last && _first <= other._last;

    /// <inheritdoc/>
    public bool Equals(IpRange? other) => other is not null && other.Family == Family && other._first == _first && other._last == _last;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_first, _last, Family);

    /// <summary><c>first-last</c>.</summary>
    public override string ToString() => $"{First}-{Last}";

    internal UInt128 FirstNumber => _first;
    internal UInt128 LastNumber => _last;

    internal static IpRange Of(UInt128 first, UInt128 last, AddressFamily family) => new(
        IpNumber.ToAddress(first, family), IpNumber.ToAddress(last, family));

    // .NET reads 10 and 0x0a000000 as addresses too, and a scope after %.
    private static bool TryAddress(string text, [NotNullWhen(true)] out IPAddress? address)
    {
        text = text.Trim();
        address = null;
        if (text.IndexOfAny(['%', '[']) >= 0 || !IPAddress.TryParse(text, out var parsed)) return false;
        if (parsed.AddressFamily == AddressFamily.InterNetwork && parsed.ToString() != text) return false;
        address = parsed;
        return true;
    }
}

/// <summary>Addresses as numbers, IPv4 and IPv6 alike.</summary>
internal static class IpNumber
{
    internal static int Bits(AddressFamily family) => family == AddressFamily.InterNetwork ? 32 : 128;

    internal static UInt128 Of(IPAddress address)
    {
        UInt128 number = 0;
        foreach (var part in address.GetAddressBytes()) number = (number << 8) | part;
        return number;
    }

    internal static IPAddress ToAddress(UInt128 number, AddressFamily family)
    {
        var bytes = new byte[Bits(family) / 8];
        for (var i = bytes.Length - 1; i >= 0; i--, number >>= 8) bytes[i] = (byte)(number & 0xff);
        return new IPAddress(bytes);
    }

    /// <summary>How many addresses a prefix leaves; the largest number for an IPv6 /0, which has one more.</summary>
    internal static UInt128 Size(AddressFamily family, int prefix) =>
        Bits(family) - prefix is var free && free == 128 ? UInt128.MaxValue : UInt128.One << free;
}
