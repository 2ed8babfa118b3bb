using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT3115, found by the plan of addresses: one network has the name that is wanted. Making one is not atomic (docker/cli#614, kubernetes-sigs/kind#1596).</summary>
public sealed class AmbiguousNetworkCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT3115";

    /// <inheritdoc/>
    public override string Title => "one network of that name";

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
        return $"{Amount.Of(reading.Engine!.NetworksNamed(reading.Kind.Network.Name).Count, "network")} called '{reading.Kind.Network.Name}'";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.AddressProblems!.Where(p => p.Id == "MT3115");
    }
}
