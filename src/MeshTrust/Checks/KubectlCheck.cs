using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Checks;

/// <summary>MT4010: kubectl is there where the load balancer is installed with it.</summary>
public sealed class KubectlCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT4010";

    /// <inheritdoc/>
    public override string Title => "kubectl";

    /// <inheritdoc/>
    public override bool NeedsEngine => false;

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Kind.LoadBalancer.Kind == LoadBalancerKind.MetalLb ? null : "only MetalLB is installed with it";
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Host.HasKubectl ? "on the PATH" : "not on the PATH";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Host.HasKubectl
            ? []
            : [Error("kubectl", "It is not on the PATH, and MetalLB is installed with it.", "Install it: https://kubernetes.io/docs/tasks/tools/, or choose --lb=none.")];
    }
}
