using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Checks;

/// <summary>MT4002 to MT4009, found by the plan of addresses: the network has addresses for every cluster's load balancers.</summary>
public sealed class PoolCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT4004";

    /// <inheritdoc/>
    public override string Title => "pools of load-balancer addresses";

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Kind.LoadBalancer.Kind == LoadBalancerKind.MetalLb ? null : "there is no MetalLB";
    }

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
        return $"for {Amount.Of(reading.Topology.Clusters.Count, "cluster")}, {reading.Kind.LoadBalancer.PoolSize} addresses each where there is room, {reading.Kind.LoadBalancer.MinPoolSize} at least";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.AddressProblems!.Where(p => IsPool(p.Id));
    }

    /// <summary>Whether a problem of the plan is this row's.</summary>
    internal static bool IsPool(string id) => id.StartsWith("MT40", StringComparison.Ordinal);
}
