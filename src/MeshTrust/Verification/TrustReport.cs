namespace MeshTrust.Verification;

/// <summary>The outcome of a verification: all that the reports show, in a stable order, with no key material.</summary>
public sealed record TrustReport
{
    /// <summary>The mesh's name.</summary>
    public required string Mesh { get; init; }

    /// <summary>When the clusters were read.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The clusters, in the order of the topology.</summary>
    public required IReadOnlyList<ClusterReport> Clusters { get; init; }

    /// <summary>Which cluster trusts which.</summary>
    public required TrustMatrix Matrix { get; init; }

    /// <summary>The checks, in the order of their ids.</summary>
    public required IReadOnlyList<CheckReport> Checks { get; init; }

    /// <summary>The trust store's directory; null where there was none to compare with.</summary>
    public string? TrustStore { get; init; }

    /// <summary>The files of the trust store beside the secrets; empty where there was none.</summary>
    public IReadOnlyList<FileDrift> Drift { get; init; } = [];

    /// <summary>All findings, in the order of the checks.</summary>
    public IEnumerable<TrustFinding> Findings => Checks.SelectMany(c => c.Findings);

    /// <summary>How many findings are errors.</summary>
    public int Errors => Findings.Count(f => f.Severity == Severity.Error);

    /// <summary>How many findings are warnings.</summary>
    public int Warnings => Findings.Count(f => f.Severity == Severity.Warning);

    /// <summary>The whole in one word.</summary>
    public TrustOutcome Outcome =>
        Checks.Any(c => c.Outcome == CheckOutcome.Failed) ? TrustOutcome.Failed
        : Checks.Any(c => c.Outcome == CheckOutcome.CouldNotCheck) ? TrustOutcome.CouldNotCheck
        : Warnings > 0 ? TrustOutcome.PassedWithWarnings
        : TrustOutcome.Passed;

    /// <summary>The errors as a fault of stage <see cref="Stage.Verification"/>; null where trust is proven.</summary>
    /// <param name="strict">Whether warnings count as errors.</param>
    public MeshTrustException? ToFault(bool strict = false)
    {
        if (Outcome == TrustOutcome.Passed || (Outcome == TrustOutcome.PassedWithWarnings && !strict)) return null;
        return new MeshTrustException(Stage.Verification, [.. Findings.Where(f => strict || f.Severity == Severity.Error).Select(f => f.ToProblem())]);
    }
}
