using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT2222: the machine's cgroups are those that kubelet takes: 1.35 and newer refuse version 1 (kubernetes/kubernetes#134298).</summary>
public sealed class CgroupCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2222";

    /// <inheritdoc/>
    public override string Title => "cgroups";

    private static readonly Version FirstThatRefuses = new(1, 35);

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"version {reading.Engine!.Info.CgroupVersion}{(reading.Engine.Info.CgroupDriver.Length > 0 ? $" ({reading.Engine.Info.CgroupDriver})" : "")}; Kubernetes {reading.Kubernetes?.ToString() ?? "of kind's choice"}";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        const string Hint = "Boot with cgroup v2 (kernel argument systemd.unified_cgroup_hierarchy=1), or take --k8s-release=1.34.";
        if (reading.Engine!.Info.CgroupVersion != 1 || (reading.Kubernetes is { } known && known < FirstThatRefuses)) return [];
        return reading.Kubernetes is { } version
            ? [Error("cgroups", $"They are of version 1, and kubelet {version} refuses to start on them.", Hint)]
            : [Warning("cgroups", $"They are of version 1, and kubelet {FirstThatRefuses} and newer refuse to start on them; which Kubernetes kind takes is not known here.", Hint)];
    }
}
