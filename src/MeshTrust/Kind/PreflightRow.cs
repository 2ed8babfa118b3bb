namespace MeshTrust.Kind;

/// <summary>What one check said.</summary>
public sealed record PreflightRow
{
    /// <summary>The check's id; a problem may have another, of the room that found it.</summary>
    public required string Id { get; init; }

    /// <summary>What was looked at.</summary>
    public required string Title { get; init; }

    /// <summary>How it ended.</summary>
    public required PreflightOutcome Outcome { get; init; }

    /// <summary>What was measured and what is needed; where nothing was measured, why.</summary>
    public required string Measured { get; init; }

    /// <summary>Everything that is wrong, errors first; each names what mends it.</summary>
    public IReadOnlyList<Problem> Problems { get; init; } = [];
}
