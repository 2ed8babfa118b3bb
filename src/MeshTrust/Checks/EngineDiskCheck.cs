using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT1104: the engine's disk has room for the new nodes. The figures are proposals (kind turns kubelet's own eviction by disk space off, so a full disk shows as etcd's fault).</summary>
public sealed class EngineDiskCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT1104";

    /// <inheritdoc/>
    public override string Title => "disk of the engine";

    // Measured: a bare control plane writes 550 MiB.
    private const long Least = 512 * Amount.MiB;
    private const long Wanted = 3 * Amount.GiB;

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.NewNodes == 0 ? "no node is new" : null;
    }

    /// <inheritdoc/>
    public override string? Unread(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Host.EngineDisk is null ? "the engine's disk is not this machine's, or cannot be read" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"{Amount.Bytes(reading.Host.EngineDisk!.Free)} free in {reading.Host.EngineDisk.Path}; {Amount.Of(reading.NewNodes, "new node")} should have {Amount.Bytes(Comfort(reading))}";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var (disk, nodes) = (reading.Host.EngineDisk!, reading.NewNodes);
        var remedy = $"Make room ('{reading.EngineCommand} system df' shows what may go), or move the engine's data to a larger disk.";
        if (disk.Free < Least * nodes) return [Error(disk.Path, $"{Amount.Bytes(disk.Free)} are free, and {Amount.Of(nodes, "new node")} take at least {Amount.Bytes(Least * nodes)}.", remedy)];
        return disk.Free < Comfort(reading) ? [Warning(disk.Path, $"{Amount.Bytes(disk.Free)} are free; 3 GiB for each of {Amount.Of(nodes, "new node")} and a tenth of the disk come to {Amount.Bytes(Comfort(reading))}.", remedy)] : [];
    }

    private static long Comfort(PreflightReading reading) => (Wanted * reading.NewNodes) + (reading.Host.EngineDisk!.Total / 10);
}
