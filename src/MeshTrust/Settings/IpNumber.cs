using System.Net;
using System.Net.Sockets;

namespace MeshTrust.Settings;

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
