using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT1103: there is memory for the new nodes. What is wanted is a proposal.</summary>
public sealed class MemoryCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT1103";

    /// <inheritdoc/>
    public override string Title => "memory";

    // Measured: a bare control plane takes 450 MiB.
    private const long Least = 400 * Amount.MiB;
    private const long Wanted = 2 * Amount.GiB;

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.NewNodes == 0 ? "no node is new" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"{Amount.Bytes(Available(reading))} available; {Amount.Of(reading.NewNodes, "new node")} should have {Amount.Bytes(Wanted * reading.NewNodes)}";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var (have, nodes) = (Available(reading), reading.NewNodes);
        if (have < Least * nodes) return [Error("memory", $"{Amount.Bytes(have)} are available, and {Amount.Of(nodes, "new node")} take at least {Amount.Bytes(Least * nodes)}.", "End other programs, give the engine's virtual machine more, or ask for fewer clusters or workers.")];
        return have < Wanted * nodes ? [Warning("memory", $"{Amount.Bytes(have)} are available, and {Amount.Of(nodes, "new node")} should have {Amount.Bytes(Wanted * nodes)}: Istio and workloads may not fit.", "End other programs, give the engine's virtual machine more, or ask for fewer clusters or workers.")] : [];
    }

    // Another machine, or a virtual one, says how much it has, not how much is free.
    private static long Available(PreflightReading reading) =>
        reading is { Host: { OperatingSystem: "linux", MemoryAvailable: { } available }, Engine.Info.IsRemote: false } ? available : reading.Engine!.Info.Memory;
}
