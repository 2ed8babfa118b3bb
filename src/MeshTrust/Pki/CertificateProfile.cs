using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// The content of a certificate, except what the issuer and the clock determine. docs/certificates.md lists every field.
/// </summary>
internal sealed record CertificateProfile
{
    /// <summary>The subject in the order of its DER; all values become UTF8String.</summary>
    public required IReadOnlyList<NameAttribute> Subject { get; init; }

    /// <summary>How long it is valid from now, in addition to backdating.</summary>
    public required TimeSpan Lifetime { get; init; }

    public required bool IsCa { get; init; }

    /// <summary>How many CAs are allowed below it; null for any number. Only for a CA.</summary>
    public int? PathLength { get; init; }

    /// <summary>The key usage, always critical.</summary>
    public required CertificateKeyUsage KeyUsage { get; init; }

    /// <summary>OIDs of the extended key usage; none for a CA.</summary>
    public IReadOnlyList<string> ExtendedKeyUsages { get; init; } = [];

    public IReadOnlyList<string> DnsNames { get; init; } = [];

    public IReadOnlyList<string> Uris { get; init; } = [];

    private const CertificateKeyUsage CaKeyUsage =
        CertificateKeyUsage.KeyCertSign | CertificateKeyUsage.CrlSign | CertificateKeyUsage.DigitalSignature;

    /// <summary>The root: O, CN; any number of CAs below (cross-signing stays possible).</summary>
    public static CertificateProfile ForRoot(CertificateAuthoritySpec spec) => new()
    {
        Subject = [Attribute("O", spec.Organization), Attribute("CN", spec.CommonName)],
        Lifetime = TimeSpan.FromDays(spec.Days),
        IsCa = true,
        KeyUsage = CaKeyUsage,
    };

    /// <summary>A cluster's intermediate: O, CN, L = the cluster's name; signs workloads only.</summary>
    public static CertificateProfile ForIntermediate(CertificateAuthoritySpec spec, ClusterName cluster) => new()
    {
        Subject = [Attribute("O", spec.Organization), Attribute("CN", spec.CommonName), Attribute("L", cluster.Value)],
        Lifetime = TimeSpan.FromDays(spec.Days),
        IsCa = true,
        PathLength = 0,
        KeyUsage = CaKeyUsage,
        DnsNames = spec.DnsNames,
    };

    /// <summary>A workload certificate as istiod would issue it: no names but the SPIFFE id, for both ends of mutual TLS.</summary>
    /// <param name="spiffeId"><c>spiffe://&lt;trust domain&gt;/ns/&lt;namespace&gt;/sa/&lt;service account&gt;</c>.</param>
    /// <param name="lifetime">How long.</param>
    public static CertificateProfile ForWorkload(string spiffeId, TimeSpan lifetime) => new()
    {
        Subject = [],
        Lifetime = lifetime,
        IsCa = false,
        KeyUsage = CertificateKeyUsage.DigitalSignature,
        ExtendedKeyUsages = [ServerAuthentication, ClientAuthentication],
        Uris = [spiffeId],
    };

    /// <summary>id-kp-serverAuth.</summary>
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>id-kp-clientAuth.</summary>
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private static NameAttribute Attribute(string type, string value) => new(type, value, "UTF8String");
}
