namespace MeshTrust.Verification;

/// <summary>What one check said.</summary>
public sealed record CheckReport
{
    /// <summary>The check's id.</summary>
    public required string Id { get; init; }

    /// <summary>The check's title.</summary>
    public required string Title { get; init; }

    /// <summary>Where the rule comes from.</summary>
    public required string Citation { get; init; }

    /// <summary>How it ended.</summary>
    public required CheckOutcome Outcome { get; init; }

    /// <summary>Why it had nothing to look at, or what was done; null where there is nothing to add.</summary>
    public string? Note { get; init; }

    /// <summary>The clusters that it could not look at.</summary>
    public IReadOnlyList<UncheckedCluster> Unchecked { get; init; } = [];

    /// <summary>What it found, in a stable order.</summary>
    public IReadOnlyList<TrustFinding> Findings { get; init; } = [];
}
