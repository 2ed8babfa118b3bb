using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Checks;

/// <summary>MT2228: this machine reaches the nodes' network: Docker Desktop's lies in a virtual machine (kubernetes-sigs/kind#3556, docker/for-mac#7334).</summary>
public sealed class DockerDesktopCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2228";

    /// <inheritdoc/>
    public override string Title => "load balancers' addresses from this machine";

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
        return IsHidden(reading) ? "the network lies in a virtual machine" : "the network is this machine's";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return IsHidden(reading)
            ? [Warning("load balancer", "The nodes' network lies in a virtual machine: addresses of load balancers are reached from the other clusters, not from this machine.", "None for tests of the mesh; for access from this machine take --lb=cloud-provider-kind.")]
            : [];
    }

    private static bool IsHidden(PreflightReading reading) =>
        reading.Host.OperatingSystem != "linux" || reading.Engine!.Info.OperatingSystem.Contains("Docker Desktop", StringComparison.OrdinalIgnoreCase);
}
