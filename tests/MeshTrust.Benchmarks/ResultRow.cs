namespace MeshTrust.Benchmarks;

/// <summary>One row of the table. If it is compared with something, the target is for the ratio of the medians, else for our median.</summary>
internal sealed record ResultRow
{
    public required string What { get; init; }

    public Unit Unit { get; init; } = Unit.Seconds;

    public required Samples Ours { get; init; }

    /// <summary>What it is compared with; null for nothing, or for a tool that is missing.</summary>
    public Samples? Theirs { get; init; }

    /// <summary>What <see cref="Theirs"/> measures, or why there are no figures.</summary>
    public string Against { get; init; } = "";

    /// <summary>Whether <see cref="Aim"/> is a ratio.</summary>
    public bool IsRatio { get; init; }

    /// <summary>The target; null for a figure without one.</summary>
    public double? Aim { get; init; }

    /// <summary>Our median divided by theirs.</summary>
    public double? Ratio => Theirs is null ? null : Ours.Median / Theirs.Median;

    /// <summary>Null if there is no target, or nothing to compare with.</summary>
    public bool? IsMet => Aim is not { } aim ? null : IsRatio ? Ratio <= aim : Ours.Median < aim;
}
