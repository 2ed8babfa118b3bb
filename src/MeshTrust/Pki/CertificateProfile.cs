using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>The content of a certificate, except what the issuer and the clock determine. docs/certificates.md lists every field.</summary>
internal sealed record CertificateProfile
{
    /// <summary>The subject in the order of its DER; all values become UTF8String.</summary>
    public required IReadOnlyList<NameAttribute> Subject { get; init; }

    /// <summary>A certificate whose subject and key identifier it takes over, byte for byte; null for none.</summary>
    public CertificateDocument? Like { get; init; }

    /// <summary>How long it is valid from now, in addition to backdating.</summary>
    public required TimeSpan Lifetime { get; init; }

    public required bool IsCa { get; init; }

    /// <summary>How many CAs are allowed below it; null for any number. Only for a CA.</summary>
    public int? PathLength { get; init; }

    public required CertificateKeyUsage KeyUsage { get; init; }
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

    /// <summary>A root's name and key, for a certificate that another root issues. Both roots bound its life.</summary>
    public static CertificateProfile ForCross(CertificateDocument root) => new()
    {
        Subject = [],
        Like = root,
        Lifetime = TimeSpan.MaxValue,
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

    /// <summary>
    /// A certificate as istiod would issue it, for both ends of mutual TLS: a workload's only name is its SPIFFE id, istiod's own are DNS
    /// names.
    /// </summary>
    public static CertificateProfile ForWorkload(IReadOnlyList<string> names, TimeSpan lifetime) => new()
    {
        Subject = [],
        Lifetime = lifetime,
        IsCa = false,
        KeyUsage = CertificateKeyUsage.DigitalSignature,
        ExtendedKeyUsages = [ServerAuthentication, ClientAuthentication],
        DnsNames = [.. names.Where(n => !n.Contains("://", StringComparison.Ordinal))],
        Uris = [.. names.Where(n => n.Contains("://", StringComparison.Ordinal))],
    };

    /// <summary>The DNS names in istiod's own certificate (istio pilot/pkg/bootstrap/server.go, getDNSNames).</summary>
    public static IReadOnlyList<string> IstiodNames(string istioNamespace) =>
        [$"istiod.{istioNamespace}.svc", $"istiod-remote.{istioNamespace}.svc", $"istio-pilot.{istioNamespace}.svc"];

    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private static NameAttribute Attribute(string type, string value) => new(type, value, "UTF8String");
}

/// <summary>The bits of the key usage extension (RFC 5280 section 4.2.1.3); bit n of the extension is <c>1 &lt;&lt; n</c>.</summary>
[Flags]
internal enum CertificateKeyUsage
{
    None = 0,
    DigitalSignature = 1,

    /// <summary>Also called contentCommitment.</summary>
    NonRepudiation = 1 << 1,

    /// <summary>It has no place on a CA (RFC 3279 section 2.3.1).</summary>
    KeyEncipherment = 1 << 2,
    DataEncipherment = 1 << 3,
    KeyAgreement = 1 << 4,

    /// <summary>Every CA needs it.</summary>
    KeyCertSign = 1 << 5,
    CrlSign = 1 << 6,
    EncipherOnly = 1 << 7,
    DecipherOnly = 1 << 8,
}
