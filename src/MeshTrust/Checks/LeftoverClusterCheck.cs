using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT2302 to MT2304, found by the verdict on each cluster: those that have the names that are wanted are ours and fit, or are not there.</summary>
public sealed class LeftoverClusterCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2303";

    /// <inheritdoc/>
    public override string Title => "clusters of these names";

    /// <inheritdoc/>
    public override string? Unread(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.ClusterProblems is null ? "nobody could look" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"{reading.NewClusters.Count} of {reading.Topology.Clusters.Count} are new";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.ClusterProblems!;
    }
}
