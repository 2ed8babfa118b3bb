using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>A certificate with every fact that a check may ask for. Immutable; equal where the DER is equal.</summary>
/// <remarks>The bytes of names and keys are slices of the certificate itself, never encoded anew, so that comparisons are exact.</remarks>
public sealed class CertificateDocument : IEquatable<CertificateDocument>
{
    private readonly CertificateFields _fields;

    private CertificateDocument(ReadOnlyMemory<byte> der, CertificateFields fields)
    {
        Der = der;
        _fields = fields;
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(der.Span));
    }

    /// <summary>The whole certificate.</summary>
    public ReadOnlyMemory<byte> Der { get; }

    /// <summary>SHA-256 of <see cref="Der"/>, lower-case hex without separators.</summary>
    public string Sha256 { get; }

    /// <summary>X.509 version: 1, 2 or 3.</summary>
    public int Version => _fields.Version;

    /// <summary>The subject in the order of its DER, for instance <c>O=Istio, CN=Root CA</c>.</summary>
    public string Subject => _fields.Subject.Text;

    /// <summary>The issuer in the order of its DER.</summary>
    public string Issuer => _fields.Issuer.Text;

    /// <summary>The DER of the subject.</summary>
    public ReadOnlyMemory<byte> RawSubject => _fields.Subject.Der;

    /// <summary>The DER of the issuer.</summary>
    public ReadOnlyMemory<byte> RawIssuer => _fields.Issuer.Der;

    /// <summary>The attributes of the subject, in order.</summary>
    public IReadOnlyList<NameAttribute> SubjectAttributes => _fields.Subject.Attributes;

    /// <summary>The attributes of the issuer, in order.</summary>
    public IReadOnlyList<NameAttribute> IssuerAttributes => _fields.Issuer.Attributes;

    /// <summary>The ASN.1 string types that the subject uses, each once.</summary>
    public IReadOnlyList<string> SubjectStringTypes => [.. SubjectAttributes.Select(a => a.StringType).Distinct()];

    /// <summary>The serial number as lower-case hex of its content octets.</summary>
    public string SerialNumber => Convert.ToHexStringLower(SerialBytes.Span);

    /// <summary>The content octets of the serial number, big-endian two's complement: a first byte above 0x7f means a negative number.</summary>
    public ReadOnlyMemory<byte> SerialBytes => _fields.Serial;

    /// <summary>Valid from, UTC.</summary>
    public DateTimeOffset NotBefore => _fields.NotBefore;

    /// <summary>Valid until and including, UTC.</summary>
    public DateTimeOffset NotAfter => _fields.NotAfter;

    /// <summary>The subject key identifier as lower-case hex; null where absent.</summary>
    public string? SubjectKeyId => _fields.Extensions.SubjectKeyId;

    /// <summary>The key identifier of the authority key identifier as lower-case hex; null where absent.</summary>
    public string? AuthorityKeyId => _fields.Extensions.AuthorityKeyId;

    /// <summary>Whether the authority key identifier names issuer and serial: it then breaks when the parent is renewed with its key.</summary>
    public bool AuthorityNamesIssuerAndSerial => _fields.Extensions.AuthorityNamesIssuerAndSerial;

    /// <summary>The serial number of the issuer in the authority key identifier, lower-case hex; null where it names none.</summary>
    public string? AuthoritySerialNumber => _fields.Extensions.AuthoritySerialNumber;

    /// <summary>Whether there is a basic constraints extension.</summary>
    public bool HasBasicConstraints => _fields.Extensions.HasBasicConstraints;

    /// <summary>Whether it is critical.</summary>
    public bool BasicConstraintsCritical => _fields.Extensions.IsCritical(CertificateExtensions.BasicConstraintsOid);

    /// <summary>Whether basic constraints say CA.</summary>
    public bool IsCa => _fields.Extensions.IsCa;

    /// <summary>How many CAs may stand below this one; null for any number.</summary>
    public int? PathLength => _fields.Extensions.PathLength;

    /// <summary>The key usage; null where the extension is absent.</summary>
    public CertificateKeyUsage? KeyUsage => _fields.Extensions.KeyUsage;

    /// <summary>Whether key usage is critical.</summary>
    public bool KeyUsageCritical => _fields.Extensions.IsCritical(CertificateExtensions.KeyUsageOid);

    /// <summary>The OIDs of the extended key usage; empty where the extension is absent.</summary>
    public IReadOnlyList<string> ExtendedKeyUsages => _fields.Extensions.ExtendedKeyUsages;

    /// <summary>Whether there is a name constraints extension.</summary>
    public bool HasNameConstraints => _fields.Extensions.ExtensionOids.Contains(CertificateExtensions.NameConstraintsOid);

    /// <summary>Whether name constraints are critical.</summary>
    public bool NameConstraintsCritical => _fields.Extensions.IsCritical(CertificateExtensions.NameConstraintsOid);

    /// <summary>Permitted URI hosts (RFC 5280 section 4.2.1.10).</summary>
    public IReadOnlyList<string> PermittedUris => _fields.Extensions.PermittedUris;

    /// <summary>Excluded URI hosts.</summary>
    public IReadOnlyList<string> ExcludedUris => _fields.Extensions.ExcludedUris;

    /// <summary>Permitted DNS subtrees.</summary>
    public IReadOnlyList<string> PermittedDns => _fields.Extensions.PermittedDns;

    /// <summary>Excluded DNS subtrees.</summary>
    public IReadOnlyList<string> ExcludedDns => _fields.Extensions.ExcludedDns;

    /// <summary>DNS names of the subject alternative name.</summary>
    public IReadOnlyList<string> DnsNames => _fields.Extensions.DnsNames;

    /// <summary>URIs of the subject alternative name.</summary>
    public IReadOnlyList<string> Uris => _fields.Extensions.Uris;

    /// <summary>Whether the subject alternative name is critical.</summary>
    public bool SubjectAlternativeNameCritical => _fields.Extensions.IsCritical(CertificateExtensions.SubjectAlternativeNameOid);

    /// <summary>The OIDs of all extensions, in order.</summary>
    public IReadOnlyList<string> ExtensionOids => _fields.Extensions.ExtensionOids;

    /// <summary>The OIDs of the critical extensions, in order.</summary>
    public IReadOnlyList<string> CriticalExtensionOids => _fields.Extensions.CriticalExtensionOids;

    /// <summary>The signature's algorithm, for instance <c>sha256WithRSAEncryption</c>; the OID where the name is not known.</summary>
    public string SignatureAlgorithm => _fields.SignatureAlgorithm.Name;

    /// <summary>The OID of the signature's algorithm.</summary>
    public string SignatureAlgorithmOid => _fields.SignatureAlgorithm.Oid;

    /// <summary>The hash under the signature (<c>SHA-1</c>, <c>SHA-256</c>, ...); null where it has none of its own (Ed25519) or is not known.</summary>
    public string? SignatureHash => _fields.SignatureAlgorithm.Hash;

    /// <summary>Whether the algorithm inside the signed part is the one outside it (RFC 5280 section 4.1.1.2).</summary>
    public bool SignatureAlgorithmsAgree => _fields.SignatureAlgorithmsAgree;

    /// <summary>The public key, for instance <c>RSA 4096</c> or <c>ECDSA P-256</c>.</summary>
    public string PublicKey => _fields.PublicKey.Text;

    /// <summary>The public key's kind: <c>RSA</c>, <c>ECDSA</c>, <c>Ed25519</c>, <c>RSA-PSS</c>, or an OID.</summary>
    public string PublicKeyAlgorithm => _fields.PublicKey.Algorithm;

    /// <summary>The size of the modulus or of the curve's field, in bits; 0 where not known.</summary>
    public int PublicKeyBits => _fields.PublicKey.Bits;

    /// <summary>The key as one of those that MeshTrust makes; null where it is none of them (RSA 1024, P-521, Ed25519, ...).</summary>
    public KeyAlgorithm? KeyAlgorithm => _fields.PublicKey.Known;

    /// <summary>The DER of the subjectPublicKeyInfo.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo => _fields.PublicKey.Der;

    /// <summary>Whether subject and issuer are the same bytes.</summary>
    public bool IsSelfIssued => RawSubject.Span.SequenceEqual(RawIssuer.Span);

    /// <summary>Reads a certificate.</summary>
    /// <exception cref="FormatException">The bytes are no certificate; the message says why.</exception>
    public static CertificateDocument FromDer(ReadOnlyMemory<byte> der) =>
        TryFromDer(der, out var certificate, out var reason) ? certificate : throw new FormatException(reason);

    /// <summary>Reads a certificate. Never throws.</summary>
    public static bool TryFromDer(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out CertificateDocument? certificate) =>
        TryFromDer(der, out certificate, out _);

    /// <summary>Reads a certificate. Never throws.</summary>
    /// <param name="der">The DER; it is copied.</param>
    /// <param name="certificate">The certificate, or null.</param>
    /// <param name="reason">Why it is none, as a sentence.</param>
    public static bool TryFromDer(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out CertificateDocument? certificate, [NotNullWhen(false)] out string? reason)
    {
        (certificate, reason) = (null, null);
        ReadOnlyMemory<byte> copy = der.ToArray();
        try
        {
            certificate = new CertificateDocument(copy, CertificateFields.Read(copy));
            return true;
        }
        // What AsnReader throws for bytes that are not what they should be.
        catch (Exception fault) when (fault is AsnContentException or FormatException or ArgumentException or OverflowException or InvalidOperationException)
        {
            reason = fault is FormatException ? fault.Message : "its DER is broken.";
            return false;
        }
    }

    /// <summary>Whether the signature on this certificate was made with the other's key. Names, times and extensions are not looked at.</summary>
    public bool IsSignedBy(CertificateDocument issuer)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        return SignatureVerification.Verify(_fields.SignatureAlgorithm, _fields.SignedPart.Span, _fields.Signature.Span, issuer._fields.PublicKey);
    }

    /// <summary>One PEM block, 64 characters a line, ended by a line feed.</summary>
    public string ToPem() => PemEncoding.WriteString(PemLabel.Certificate, Der.Span) + "\n";

    /// <inheritdoc/>
    public bool Equals(CertificateDocument? other) => other is not null && Der.Span.SequenceEqual(other.Der.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CertificateDocument);

    /// <inheritdoc/>
    public override int GetHashCode() => Sha256.GetHashCode(StringComparison.Ordinal);

    /// <summary>Subject, end and the start of the fingerprint.</summary>
    public override string ToString() => $"{Subject} (until {NotAfter:yyyy-MM-dd'T'HH:mm:ss'Z'}, SHA-256 {Sha256[..16]})";
}
