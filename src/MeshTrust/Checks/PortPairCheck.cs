using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT1107: no two clusters ask for one port of the host (kubernetes-sigs/kind#3681).</summary>
public sealed class PortPairCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT1107";

    /// <inheritdoc/>
    public override string Title => "ports of the host, each wanted once";

    /// <inheritdoc/>
    public override bool NeedsEngine => false;

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.WantedPorts.Count == 0 ? "no configuration asks for a port" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return string.Join(", ", reading.WantedPorts.Select(p => $"{p} ({p.Cluster})"));
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var wanted = reading.WantedPorts;
        return
            from i in Enumerable.Range(0, wanted.Count)
            from other in wanted.Skip(i + 1)
            where wanted[i].ClashesWith(other)
            select Error(other.Cluster.Value, $"The host's port {other} is wanted {(wanted[i].Cluster == other.Cluster ? "twice" : $"by {wanted[i].Cluster} and by {other.Cluster}")}.", $"Give {other.Cluster} another hostPort in its kindConfig, or leave it out: kind chooses free ports for API servers.");
    }
}
