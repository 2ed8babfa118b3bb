namespace MeshTrust.Benchmarks;

/// <summary>One line of the table. With something to compare, the aim is for the ratio of the medians; without, for our median.</summary>
internal sealed record ResultRow
{
    public required string What { get; init; }

    public Unit Unit { get; init; } = Unit.Seconds;

    public required Samples Ours { get; init; }

    /// <summary>What it is compared with; null for nothing, or for a tool that is missing.</summary>
    public Samples? Theirs { get; init; }

    /// <summary>Whose figures <see cref="Theirs"/> are, or why there are none.</summary>
    public string Against { get; init; } = "";

    /// <summary>Whether <see cref="Aim"/> is a ratio.</summary>
    public bool IsRatio { get; init; }

    /// <summary>What is to be reached; null for a figure for information.</summary>
    public double? Aim { get; init; }

    /// <summary>Ours by theirs, of the medians.</summary>
    public double? Ratio => Theirs is null ? null : Ours.Median / Theirs.Median;

    /// <summary>Null where there is no aim, or nothing to compare with.</summary>
    public bool? IsMet => Aim is not { } aim ? null : IsRatio ? Ratio <= aim : Ours.Median < aim;
}
