using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT2227: an engine without root has cgroup v2, which kind needs there (kind's site, user/rootless).</summary>
public sealed class RootlessCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2227";

    /// <inheritdoc/>
    public override string Title => "rootless engine";

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Engine!.Info.IsRootless ? null : "the engine has root";
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"cgroup version {reading.Engine!.Info.CgroupVersion}, 2 is needed";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Engine!.Info.CgroupVersion == 1
            ? [Error("container engine", "It runs without root on cgroup v1, where kind cannot make nodes.", "Boot with cgroup v2 and delegate the controllers (Delegate=yes in user@.service), or run the engine with root.")]
            : [];
    }
}
