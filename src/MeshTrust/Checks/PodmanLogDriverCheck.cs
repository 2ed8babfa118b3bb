using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Checks;

/// <summary>MT2226: Podman keeps a node's output where kind reads it: kind waits for a line of the boot log (kubernetes-sigs/kind#2972, #3050).</summary>
public sealed class PodmanLogDriverCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2226";

    /// <inheritdoc/>
    public override string Title => "Podman's log driver";

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Engine!.Info.Engine == ContainerEngineChoice.Podman ? null : "the engine is Docker";
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Engine!.Info.LogDriver is { Length: > 0 } driver ? driver : "unknown";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Engine!.Info.LogDriver == "journald"
            ? [Warning("containers.conf", "The log driver 'journald' may hide the line of a node's boot log that kind waits for.", "Set log_driver = \"k8s-file\" under [containers] in containers.conf.")]
            : [];
    }
}
