using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using MeshTrust.IO;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Math;

namespace MeshTrust.Pki;

/// <summary>A certificate revocation list (RFC 5280 section 5), as far as istiod and proxies use it.</summary>
internal sealed class CrlDocument
{
    private readonly byte[] _der;
    private readonly byte[] _signedPart;
    private readonly byte[] _signature;
    private readonly SignatureScheme _algorithm;
    private readonly CrlEntry[] _entries;
    private readonly BigInteger _number;

    private CrlDocument(byte[] der)
    {
        _der = der;
        var list = CertificateList.GetInstance(StrictDer.Read(der));
        var issuer = new DistinguishedName(list.Issuer);
        (Issuer, RawIssuer) = (issuer.Text, issuer.Der);
        (ThisUpdate, NextUpdate) = (list.ThisUpdate.ToDateTime(), list.NextUpdate?.ToDateTime());
        _entries = list.GetRevokedCertificates();
        var number = list.TbsCertList.Extensions?.GetExtensionParsedValue(X509Extensions.CrlNumber);
        _number = number is null ? BigInteger.Zero : DerInteger.GetInstance(number).Value;
        _signedPart = list.TbsCertList.GetDerEncoded();
        _signature = list.GetSignatureOctets();
        _algorithm = SignatureScheme.Read(list.SignatureAlgorithm);
    }

    internal string Issuer { get; }
    internal ReadOnlyMemory<byte> RawIssuer { get; }
    internal DateTimeOffset ThisUpdate { get; }

    /// <summary>When the next one is due; null if it does not say.</summary>
    internal DateTimeOffset? NextUpdate { get; }

    /// <summary>The share of its life that is left when it should have been renewed.</summary>
    internal const double LateLeft = 1 / 3.0;

    /// <summary>The share of its life that is left, 1 if it has no end.</summary>
    internal double Left(DateTimeOffset at) => NextUpdate is { } end ? (end - at) / (end - ThisUpdate) : 1;

    /// <summary>Reads a list. Never throws.</summary>
    internal static bool TryFromDer(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out CrlDocument? crl)
    {
        crl = null;
        try
        {
            crl = new CrlDocument(der.ToArray());
            return true;
        }
        // BouncyCastle throws many exception types for invalid bytes.
        catch (Exception)
        {
            return false;
        }
    }

    /// <summary>Issues the list of a CA that follows an earlier one and revokes more certificates. Pure but for the signature.</summary>
    internal static CrlDocument Issue(
        CertificateDocument ca, CertificateSigner signer, CrlDocument? earlier, IEnumerable<ReadOnlyMemory<byte>> revoked,
        DateTimeOffset now, TimeSpan lifetime)
    {
        var generator = new V2TbsCertListGenerator();
        generator.SetSignature(signer.Algorithm);
        // The CA's own bytes, so that names match byte for byte.
        generator.SetIssuer(CertificateIssuer.SubjectName(ca));
        // Backdated, as certificates are: a cluster whose clock is behind would reject every certificate.
        generator.SetThisUpdate(new Time((now - CertificateIssuer.Backdating).UtcDateTime));
        generator.SetNextUpdate(new Time((now + lifetime).UtcDateTime));
        foreach (var entry in earlier?._entries ?? []) generator.AddCrlEntry(Asn1Sequence.GetInstance(entry.ToAsn1Object()));
        foreach (var serial in revoked)
            generator.AddCrlEntry(new DerInteger(serial.ToArray()), new Time(now.UtcDateTime), reason: 0);
        // Numbers must grow even where the earlier list was lost, so they follow the clock.
        var number = BigInteger.ValueOf(now.ToUnixTimeSeconds());
        if (earlier is not null) number = number.Max(earlier._number.Add(BigInteger.One));
        var extensions = new X509ExtensionsGenerator();
        var issuer = new AuthorityKeyIdentifier(CertificateIssuer.KeyId(ca));
        extensions.AddExtension(X509Extensions.AuthorityKeyIdentifier, critical: false, issuer);
        extensions.AddExtension(X509Extensions.CrlNumber, critical: false, new DerInteger(number));
        generator.SetExtensions(extensions.Generate());
        var signedPart = generator.GenerateTbsCertList();
        var signature = new DerBitString(signer.Sign(signedPart.GetEncoded(Asn1Encodable.Der)));
        return new CrlDocument(new DerSequence(signedPart, signer.Algorithm, signature).GetEncoded(Asn1Encodable.Der));
    }

    /// <summary>Whether it is a list of this CA: by name and signature. Times and key usage do not matter.</summary>
    internal bool IsOf(CertificateDocument ca) =>
        RawIssuer.Span.SequenceEqual(ca.RawSubject.Span) && ca.Key.Verify(_algorithm, _signedPart, _signature);

    /// <summary>Whether a certificate of this list's CA with this serial number is revoked.</summary>
    internal bool Revokes(ReadOnlyMemory<byte> serial) =>
        Array.Exists(_entries, e => e.UserCertificate.Value.Equals(new BigInteger(serial.ToArray())));

    /// <summary>The serial numbers that it revokes, as certificates show theirs.</summary>
    internal IEnumerable<string> Revoked => _entries.Select(e => Convert.ToHexStringLower(e.UserCertificate.Value.ToByteArray()));

    /// <summary>One PEM block.</summary>
    internal string ToPem() => PemEncoding.WriteString(PemLabel.Crl, _der) + "\n";

    /// <summary>The issuer and when the next one is due.</summary>
    public override string ToString() => $"CRL of {Issuer} (next {(NextUpdate is { } next ? Text.Time(next) : "unknown")})";
}
