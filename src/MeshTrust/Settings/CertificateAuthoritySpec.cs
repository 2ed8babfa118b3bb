namespace MeshTrust.Settings;

/// <summary>What the user wants of a CA certificate: the variables of Istio's common.mk.</summary>
public sealed record CertificateAuthoritySpec
{
    /// <summary>CN of the subject.</summary>
    public required string CommonName { get; init; }

    /// <summary>O of the subject.</summary>
    public required string Organization { get; init; }

    /// <summary>Lifetime in days, 1 to 36500.</summary>
    public required int Days { get; init; }

    /// <summary>The key to make.</summary>
    public required KeyAlgorithm Key { get; init; }

    /// <summary>DNS names for the subject alternative name; only intermediates have them.</summary>
    public IReadOnlyList<string> DnsNames { get; init; } = [];
}
