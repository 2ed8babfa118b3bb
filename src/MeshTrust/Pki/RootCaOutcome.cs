namespace MeshTrust.Pki;

/// <summary>What became of the root.</summary>
public sealed record RootCaOutcome
{
    /// <summary>Issued, imported or kept; a root is never reissued.</summary>
    public required IssueKind Kind { get; init; }

    /// <summary>The root.</summary>
    public required RootCa Root { get; init; }

    /// <summary>What a person should know, as sentences: a root near its end, for instance.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
