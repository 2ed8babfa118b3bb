using System.Net;
using System.Net.Sockets;

namespace MeshTrust.Settings;

/// <summary>Addresses that follow each other: a CIDR range, or a first and a last address with <c>-</c> between them.</summary>
internal sealed record AddressSpan(AddressFamily Family, UInt128 First, UInt128 Last)
{
    private const int LongestText = 96;

    /// <summary>Whether the addresses are IPv4.</summary>
    public bool IsIPv4 => Family == AddressFamily.InterNetwork;

    /// <summary>The addresses of a CIDR range.</summary>
    public static AddressSpan Of(IPNetwork network)
    {
        var first = Number(network.BaseAddress);
        var free = (network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128) - network.PrefixLength;
        return new AddressSpan(network.BaseAddress.AddressFamily, first, free == 128 ? UInt128.MaxValue : first + (UInt128.One << free) - 1);
    }

    /// <summary>Reads a range without host bits, or <c>first-last</c> of one family; null where the text is neither.</summary>
    public static AddressSpan? Find(string text)
    {
        if (ValueReaders.Subnet(text, out var network) is null) return Of(network);
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0 || text.Length > LongestText || text.Contains('%', StringComparison.Ordinal)) return null;
        if (!IPAddress.TryParse(text.AsSpan(0, dash).Trim(), out var first) || !IPAddress.TryParse(text.AsSpan(dash + 1).Trim(), out var last)) return null;
        return first.AddressFamily == last.AddressFamily && Number(first) <= Number(last) ? new AddressSpan(first.AddressFamily, Number(first), Number(last)) : null;
    }

    /// <summary>Whether the other lies wholly within.</summary>
    public bool Contains(AddressSpan other) => other.Family == Family && other.First >= First && other.Last <= Last;

    private static UInt128 Number(IPAddress address) => address.GetAddressBytes().Aggregate(UInt128.Zero, (number, b) => (number << 8) | b);
}
