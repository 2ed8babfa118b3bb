namespace MeshTrust;

/// <summary>One thing that is wrong, told so that it can be mended: what, where, and what to do.</summary>
/// <remarks>The text holds no key material, no token and no password. Every id has a row in docs/problems.md.</remarks>
public sealed record Problem
{
    /// <summary>The coded id, for instance <c>MT0102</c>: it never changes its meaning.</summary>
    public required string Id { get; init; }

    /// <summary>Where: <c>file:line</c>, an argument such as <c>--clusters</c>, a variable, or a cluster's name.</summary>
    public required string Place { get; init; }

    /// <summary>What is wrong, as a sentence with a full stop.</summary>
    public required string What { get; init; }

    /// <summary>What to do or to write instead, as a sentence with a full stop.</summary>
    public required string Remedy { get; init; }

    /// <summary>Whether the run can go on.</summary>
    public Severity Severity { get; init; } = Severity.Error;

    /// <summary>The line that people see: id, place, what, remedy.</summary>
    public override string ToString() => $"{Id} {Place}: {What} {Remedy}";
}
