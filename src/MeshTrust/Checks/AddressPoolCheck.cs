using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Checks;

/// <summary>MT2230: Docker has an address range left for a new network: its default pools hold 31 networks, and a VPN's route may cover them all (docker/compose#6153).</summary>
public sealed class AddressPoolCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2230";

    /// <inheritdoc/>
    public override string Title => "address range for the network";

    private const int MostParts = 4096;

    // Docker's built-in pools: fifteen /16 of 172.17.0.0 to 172.31.0.0, sixteen /20 of 192.168.0.0.
    private static readonly IReadOnlyList<EngineAddressPool> BuiltIn =
        [.. Enumerable.Range(17, 15).Select(i => new EngineAddressPool(IPNetwork.Parse($"172.{i}.0.0/16"), 16)), new EngineAddressPool(IPNetwork.Parse("192.168.0.0/16"), 20)];

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Engine!.Info.Engine == ContainerEngineChoice.Podman ? "Podman has its own pools"
            : reading.Engine.NetworksNamed(reading.Kind.Network.Name).Count > 0 ? $"the network '{reading.Kind.Network.Name}' is there"
            : reading.Kind.Network.Subnets.Count > 0 ? "the topology names one" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"{Free(reading)} of the {Parts(reading).Count()} ranges that Docker gives to networks are free";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        if (Free(reading) > 0) return [];
        var way = reading.Engine!.Routes.FirstOrDefault(r => Parts(reading).All(part => Overlap(r.Range, part)));
        var cause = way is null ? $"{Amount.Of(reading.Engine.Networks.Count, "network")} and this machine's routes take them" : $"the route {way.Range} by {way.Interface} covers them";
        var remedy = $"{(way is null ? "docker network prune" : $"Disconnect the VPN of {way.Interface}")}; or set network: {{create: true, subnet: 10.253.0.0/22}} in the topology, or default-address-pools in Docker's daemon.json.";
        return [Error($"network {reading.Kind.Network.Name}", $"It has to be made, and none of the ranges that Docker gives to networks is free: {cause}.", remedy)];
    }

    private static int Free(PreflightReading reading)
    {
        var taken = reading.Engine!.Networks.SelectMany(n => n.Subnets).Select(s => s.Range).Concat(reading.Engine.Routes.Select(r => r.Range)).ToList();
        return Parts(reading).Count(part => !taken.Any(range => Overlap(range, part)));
    }

    private static IEnumerable<IPNetwork> Parts(PreflightReading reading) =>
        (reading.Engine!.Info.AddressPools is { Count: > 0 } own ? own : BuiltIn).Where(p => p.Range.BaseAddress.AddressFamily == AddressFamily.InterNetwork && p.Prefix is >= 1 and <= 32).SelectMany(Split);

    private static IEnumerable<IPNetwork> Split(EngineAddressPool pool)
    {
        var first = BinaryPrimitives.ReadUInt32BigEndian(pool.Range.BaseAddress.GetAddressBytes());
        var parts = Math.Min(MostParts, 1L << Math.Max(0, pool.Prefix - pool.Range.PrefixLength));
        var bytes = new byte[4];
        for (var i = 0L; i < parts; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)(first + (i << (32 - pool.Prefix))));
            yield return new IPNetwork(new IPAddress(bytes), pool.Prefix);
        }
    }

    private static bool Overlap(IPNetwork a, IPNetwork b) =>
        a.BaseAddress.AddressFamily == b.BaseAddress.AddressFamily && (a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress));
}
