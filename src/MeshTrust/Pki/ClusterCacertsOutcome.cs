namespace MeshTrust.Pki;

/// <summary>What became of one cluster's four files.</summary>
public sealed record ClusterCacertsOutcome
{
    /// <summary>Issued, reissued, rechained or kept.</summary>
    public required IssueKind Kind { get; init; }

    /// <summary>The files as they are now.</summary>
    public required ClusterCacerts Cacerts { get; init; }

    /// <summary>Why they were replaced, as a sentence; null where they were kept or new.</summary>
    public string? Reason { get; init; }

    /// <summary>Where the replaced files are kept (mode 0600) until the next successful Verify; empty where none was replaced.</summary>
    public IReadOnlyList<string> Replaced { get; init; } = [];

    /// <summary>The end that was asked for, where the root ends earlier and its end was taken; null where nothing was clamped.</summary>
    public DateTimeOffset? ClampedFrom { get; init; }

    /// <summary>What a person should know, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
