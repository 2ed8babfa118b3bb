using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Checks;

/// <summary>MT1110: the kernel has IPv6 where clusters want it (kubernetes-sigs/kind#1544).</summary>
public sealed class KernelIpv6Check : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT1110";

    /// <inheritdoc/>
    public override string Title => "IPv6 of the kernel";

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Kind.IpFamily == IpFamily.IPv4 ? "the clusters are IPv4" : reading.Engine!.Info.IsRemote || reading.Host.OperatingSystem != "linux" ? "the engine's machine has its own kernel" : null;
    }

    /// <inheritdoc/>
    public override string? Unread(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Host.HasIpv6 is null ? "/proc/net/if_inet6 cannot be read" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Host.HasIpv6 is true ? "on" : "off";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Host.HasIpv6 is true
            ? []
            : [Error("--ip-family", "The clusters are to have IPv6, and it is off in this machine's kernel.", "sudo sysctl -w net.ipv6.conf.all.disable_ipv6=0 (or boot without ipv6.disable=1), or take --ip-family=ipv4.")];
    }
}
