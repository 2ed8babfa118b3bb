using System.Globalization;
using System.Net;
using MeshTrust.Kind;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>
/// The routes of this machine, from the main table on Linux. Other tables, which some VPNs use, are not read.
/// </summary>
internal static class HostRoutes
{
    private const uint IsUp = 0x1;
    private const uint IsReject = 0x200;
    private const uint IsLocal = 0x80000000;
    private const uint IsAnycast = 0x00100000;

    public static IReadOnlyList<HostRoute> Read() =>
        OperatingSystem.IsLinux() ? [.. Version4(Text("/proc/net/route")), .. Version6(Text("/proc/net/ipv6_route"))] : [];

    /// <summary>Reads <c>/proc/net/route</c>: addresses are numbers in this machine's byte order. See proc_pid_net(5).</summary>
    public static IReadOnlyList<HostRoute> Version4(string text)
    {
        var routes = new List<HostRoute>();
        foreach (var line in text.Split('\n').Skip(1))
        {
            var fields = line.Split('\t', StringSplitOptions.TrimEntries);
            if (fields.Length < 8 || !Hex(fields[1], out var destination)
                || !Hex(fields[3], out var flags) || !Hex(fields[7], out var mask))
                continue;
            if ((flags & IsUp) == 0 || (flags & IsReject) != 0 || mask == 0) continue;
            var length = BitConverter.GetBytes(mask).Sum(part => int.PopCount(part));
            routes.Add(new HostRoute(Range(BitConverter.GetBytes(destination), length), fields[0]));
        }

        return [.. routes.Distinct()];
    }

    /// <summary>
    /// Reads <c>/proc/net/ipv6_route</c>. The machine's own, link-local and multicast addresses are left out.
    /// </summary>
    public static IReadOnlyList<HostRoute> Version6(string text)
    {
        var routes = new List<HostRoute>();
        foreach (var line in text.Split('\n'))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (fields.Length < 10 || fields[0].Length != 32 || !Hex(fields[1], out var length)
                || length > 128 || !Hex(fields[8], out var flags))
                continue;
            if ((flags & IsUp) == 0 || (flags & (IsReject | IsLocal | IsAnycast)) != 0 || length == 0 || fields[9] == "lo") continue;
            if (!TryBytes(fields[0], out var bytes) || new IPAddress(bytes) is { IsIPv6LinkLocal: true } or { IsIPv6Multicast: true })
                continue;
            routes.Add(new HostRoute(Range(bytes, (int)length), fields[9]));
        }

        return [.. routes.Distinct()];
    }

    private static IPNetwork Range(byte[] bytes, int length) => EngineJson.Range($"{new IPAddress(bytes)}/{length}")!.Value;

    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A machine without IPv6 has no such file.
            return "";
        }
    }

    private static bool Hex(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);

    private static bool TryBytes(string hex, out byte[] bytes)
    {
        bytes = new byte[hex.Length / 2];
        return Convert.FromHexString(hex, bytes, out _, out var written) == System.Buffers.OperationStatus.Done && written == bytes.Length;
    }
}
