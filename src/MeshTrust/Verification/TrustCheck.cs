namespace MeshTrust.Verification;

/// <summary>One named, cited rule about the trust of a mesh. It reads a snapshot and nothing else.</summary>
public abstract class TrustCheck
{
    /// <summary>The id, <c>MT5001</c> to <c>MT5025</c> (trust) or <c>MT3131</c> and <c>MT3132</c> (the way between clusters): it never changes its meaning.</summary>
    public abstract string Id { get; }

    /// <summary>What holds where it passes, as people say it, without a full stop.</summary>
    public abstract string Title { get; }

    /// <summary>Where the rule comes from: an RFC section or a file of Istio.</summary>
    public abstract string Citation { get; }

    /// <summary>The parts of a cluster that it needs: where one could not be read, the check could not be done there.</summary>
    public virtual IReadOnlyList<SnapshotPart> Needs => [SnapshotPart.Cacerts];

    /// <summary>Why this check has nothing to look at; null where it has.</summary>
    public virtual string? NotApplicable(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Clusters.Any(c => c.Cacerts is not null) ? null : "no cluster has a readable secret cacerts";
    }

    /// <summary>Everything that is wrong. Nothing means that the rule holds.</summary>
    public abstract IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot);

    /// <summary>A finding that must be mended.</summary>
    protected TrustFinding Error(ClusterSnapshot? cluster, string what, string remedy) => Found(Severity.Error, cluster, what, remedy);

    /// <summary>A finding that somebody should know of.</summary>
    protected TrustFinding Warning(ClusterSnapshot? cluster, string what, string remedy) => Found(Severity.Warning, cluster, what, remedy);

    private TrustFinding Found(Severity severity, ClusterSnapshot? cluster, string what, string remedy) => new()
    {
        Id = Id,
        Severity = severity,
        Cluster = cluster?.Name.Value,
        Message = what,
        Hint = remedy,
    };
}
