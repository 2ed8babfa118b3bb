using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Checks;

/// <summary>MT4030, MT4031: cloud-provider-kind runs where it is the load balancer.</summary>
public sealed class CloudProviderCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT4030";

    /// <inheritdoc/>
    public override string Title => "cloud-provider-kind";

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Kind.LoadBalancer.Kind == LoadBalancerKind.CloudProviderKind ? null : "it is not the load balancer";
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.LoadBalancerProblems.Count == 0 ? "it runs" : "it does not run";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.LoadBalancerProblems;
    }
}
