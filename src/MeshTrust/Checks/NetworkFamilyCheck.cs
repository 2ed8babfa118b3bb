using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT3108, found by the plan of addresses: a network that is there has the families that the clusters want. kind uses one that is left over as it is (agent-substrate/substrate#845).</summary>
public sealed class NetworkFamilyCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT3108";

    /// <inheritdoc/>
    public override string Title => "address families of the network";

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Engine!.NetworksNamed(reading.Kind.Network.Name).Count == 0 ? "the network is not there yet" : null;
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
        return $"{string.Join(", ", reading.Engine!.NetworksNamed(reading.Kind.Network.Name).SelectMany(n => n.Subnets).Select(s => s.Range))}; clusters are {reading.Kind.IpFamily.ToString().ToLowerInvariant()}";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.AddressProblems!.Where(p => p.Id == "MT3108");
    }
}
