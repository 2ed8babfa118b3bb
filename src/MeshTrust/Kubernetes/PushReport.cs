namespace MeshTrust.Kubernetes;

/// <summary>What a push did: one outcome for each cluster, also where others failed.</summary>
public sealed record PushReport
{
    /// <summary>One entry for each cluster, in the order of the topology.</summary>
    public required IReadOnlyList<PushOutcome> Outcomes { get; init; }

    /// <summary>Whether every cluster was as it should be before.</summary>
    public bool NothingChanged => Outcomes.All(o => o is { Secret: ApplyOutcome.Unchanged, Namespace: ApplyOutcome.Unchanged, Problems.Count: 0 });

    /// <summary>Ends the run where a cluster does not hold what it should.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Push"/>, with the problems of all clusters.</exception>
    public void EnsureSucceeded()
    {
        var problems = Outcomes.SelectMany(o => o.Problems).ToList();
        if (problems.Count > 0) throw new MeshTrustException(Stage.Push, problems);
    }
}
