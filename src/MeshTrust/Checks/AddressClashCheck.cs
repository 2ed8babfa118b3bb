using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT3101 to MT3119, found by the plan of addresses: ranges of pods and services clash with no other cluster, no network and no route of this machine; both owners are named.</summary>
public sealed class AddressClashCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT3101";

    /// <inheritdoc/>
    public override string Title => "addresses clash with nothing";

    /// <inheritdoc/>
    public override string? Unread(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.AddressProblems is null ? "no plan could be tried" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"pods and services of {Amount.Of(reading.Topology.Clusters.Count, "cluster")} against {Amount.Of(reading.Engine!.Networks.Count, "network")} and {Amount.Of(reading.Engine.Routes.Count, "route")}";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.AddressProblems!.Where(p => p.Id is not ("MT3108" or "MT3115") && !PoolCheck.IsPool(p.Id));
    }
}
