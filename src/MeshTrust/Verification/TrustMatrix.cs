namespace MeshTrust.Verification;

/// <summary>Every ordered pair of clusters, each with itself too, and how the verdicts were reached.</summary>
public sealed record TrustMatrix
{
    /// <summary>All pairs, ordered by the first and then the second cluster of the topology.</summary>
    public required IReadOnlyList<TrustPair> Pairs { get; init; }

    /// <summary>How many path validations were done: one for each distinct (chain, roots).</summary>
    public required int PathValidations { get; init; }

    /// <summary>How many mutual-TLS handshakes were made.</summary>
    public required int Handshakes { get; init; }

    /// <summary>The TLS version of the handshakes, for instance <c>TLS 1.3</c>; null where none was made.</summary>
    public string? TlsVersion { get; init; }

    /// <summary>What was done, as a sentence.</summary>
    public required string Method { get; init; }

    /// <summary>How many pairs are trusted.</summary>
    public int Trusted => Pairs.Count(p => p.Trusted is true);
}
