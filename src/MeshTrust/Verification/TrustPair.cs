namespace MeshTrust.Verification;

/// <summary>One ordered pair of clusters: is a workload of the first trusted in the second?</summary>
public sealed record TrustPair
{
    /// <summary>The cluster whose CA signed the workload's certificate.</summary>
    public required string From { get; init; }

    /// <summary>The cluster whose roots had to verify it.</summary>
    public required string To { get; init; }

    /// <summary>The verdict; null where it could not be told because a secret could not be read.</summary>
    public required bool? Trusted { get; init; }

    /// <summary>The broken link and why; null where it is trusted.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether a mutual-TLS handshake was made for this very pair, rather than for one with the same bytes.</summary>
    public bool Handshaken { get; init; }
}
