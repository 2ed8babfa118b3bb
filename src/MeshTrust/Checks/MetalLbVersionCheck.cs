using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Checks;

/// <summary>MT2234: MetalLB is one that the Kubernetes version takes: 1.36 refuses BGPPeer objects of older CRDs (metallb/metallb#3034).</summary>
public sealed class MetalLbVersionCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2234";

    /// <inheritdoc/>
    public override string Title => "MetalLB with this Kubernetes";

    /// <inheritdoc/>
    public override bool NeedsEngine => false;

    private static readonly Version FirstStrict = new(1, 36);
    private static readonly Version FirstFit = new(0, 16, 1);

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Kind.LoadBalancer.Kind == LoadBalancerKind.MetalLb ? null : "there is no MetalLB";
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"{reading.Kind.LoadBalancer.Version} with Kubernetes {reading.Kubernetes?.ToString() ?? "of kind's choice"}; {FirstStrict} and newer want v{FirstFit}";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Kubernetes >= FirstStrict && Version.TryParse(reading.Kind.LoadBalancer.Version.TrimStart('v'), out var version) && version < FirstFit
            ? [Warning("loadBalancer.version", $"MetalLB {reading.Kind.LoadBalancer.Version} has CRDs whose BGPPeer objects Kubernetes {reading.Kubernetes} refuses; layer 2, which is used here, is not concerned.", $"Take v{FirstFit} or newer.")]
            : [];
    }
}
