using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT2405 to MT2408, found by the plan of kind's configurations: what is laid over them is taken by kind (registry.mirrors is not: istio/istio#59850) and is not MeshTrust's own.</summary>
public sealed class ClusterPlanCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2405";

    /// <inheritdoc/>
    public override string Title => "kind's configurations";

    /// <inheritdoc/>
    public override string? Unread(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.PlanProblems is null ? "no plan could be tried" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"planned for {Amount.Of(reading.Topology.Clusters.Count, "cluster")}";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.PlanProblems!;
    }
}
