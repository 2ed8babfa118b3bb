using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Asn1.X9;
using Org.BouncyCastle.Math;

namespace MeshTrust.Pki;

/// <summary>A newly issued certificate.</summary>
/// <param name="Certificate">The certificate.</param>
/// <param name="ClampedFrom">The requested expiry, if an ancestor expires earlier and capped it; else null.</param>
internal sealed record IssuedCertificate(CertificateDocument Certificate, DateTimeOffset? ClampedFrom);

/// <summary>Issues certificates. Pure except for the clock and random serial numbers; thread-safe.</summary>
internal sealed class CertificateIssuer(TimeProvider time)
{
    /// <summary>How far a certificate is backdated, so that a cluster whose clock lags accepts it at once.</summary>
    internal static TimeSpan Backdating { get; } = TimeSpan.FromMinutes(5);

    /// <summary>Issues a root: signed with its own key.</summary>
    internal IssuedCertificate IssueRoot(CertificateProfile profile, PrivateKeyPem key)
    {
        using var signer = new CertificateSigner(key);
        var (notBefore, notAfter) = Validity(profile);
        return new IssuedCertificate(Build(profile, key.SubjectPublicKeyInfo, null, signer, notBefore, notAfter), null);
    }

    /// <summary>Issues under the first of the ancestors: not valid before it, and no longer than any ancestor, up to the root.</summary>
    internal IssuedCertificate Issue(
        CertificateProfile profile, ReadOnlyMemory<byte> subjectPublicKeyInfo, IReadOnlyList<CertificateDocument> ancestors,
        CertificateSigner signer)
    {
        var (notBefore, requested) = Validity(profile);
        if (notBefore < ancestors[0].NotBefore) notBefore = ancestors[0].NotBefore;
        var earliestEnd = ancestors.Min(ancestor => ancestor.NotAfter);
        var notAfter = earliestEnd < requested ? earliestEnd : requested;
        var certificate = Build(profile, subjectPublicKeyInfo, ancestors[0], signer, notBefore, notAfter);
        return new IssuedCertificate(certificate, notAfter < requested ? requested : null);
    }

    /// <summary>Issues regardless of the parent's validity: for the probe leaf, which tests whether peers accept it.</summary>
    internal CertificateDocument IssueUnclamped(
        CertificateProfile profile, ReadOnlyMemory<byte> subjectPublicKeyInfo, CertificateDocument parent, PrivateKeyPem parentKey)
    {
        using var signer = new CertificateSigner(parentKey);
        var (notBefore, notAfter) = Validity(profile);
        return Build(profile, subjectPublicKeyInfo, parent, signer, notBefore, notAfter);
    }

    /// <summary>Whole seconds, as X.509 requires; never after the last second of GeneralizedTime (RFC 5280 section 4.1.2.5).</summary>
    private (DateTimeOffset NotBefore, DateTimeOffset NotAfter) Validity(CertificateProfile profile)
    {
        var now = time.GetUtcNow();
        now = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        var last = new DateTimeOffset(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);
        return (now - Backdating, profile.Lifetime > last - now ? last : now + profile.Lifetime);
    }

    /// <summary>
    /// A request (PKCS#10, RFC 2986) for a certificate with this profile; the existing one, as PEM, if it requests the same.
    /// </summary>
    internal static string Request(CertificateProfile profile, PrivateKeyPem key, byte[]? existing)
    {
        var publicKey = PublicKeyInfo.FromDer(key.SubjectPublicKeyInfo.ToArray());
        var extensions = new DerSet(new DerSequence(
            PkcsObjectIdentifiers.Pkcs9AtExtensionRequest, new DerSet(Extensions(profile, publicKey, parent: null))));
        var info = new CertificationRequestInfo(SubjectName(profile.Subject), KeyOf(publicKey), extensions);
        if (PemDocument.Parse("", existing).Blocks is [{ Label: PemLabel.Request } block] && Requests(block.Der, info))
            return Encoding.ASCII.GetString(existing!);
        using var signer = new CertificateSigner(key);
        var signature = new DerBitString(signer.Sign(info.GetEncoded(Asn1Encodable.Der)));
        var request = new DerSequence(info, signer.Algorithm, signature).GetEncoded(Asn1Encodable.Der);
        return PemEncoding.WriteString(PemLabel.Request, request) + "\n";

        static bool Requests(ReadOnlyMemory<byte> der, CertificationRequestInfo info)
        {
            try
            {
                return info.Equals(CertificationRequest.GetInstance(StrictDer.Read(der.ToArray())).GetCertificationRequestInfo());
            }
            // BouncyCastle throws many exception types for invalid bytes.
            catch (Exception)
            {
                return false;
            }
        }
    }

    private static CertificateDocument Build(
        CertificateProfile profile, ReadOnlyMemory<byte> subjectPublicKeyInfo, CertificateDocument? parent, CertificateSigner signer,
        DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        var subject = profile.Like is { } like ? SubjectName(like) : SubjectName(profile.Subject);
        var key = PublicKeyInfo.FromDer(subjectPublicKeyInfo.ToArray());
        var generator = new V3TbsCertificateGenerator();
        generator.SetSerialNumber(new DerInteger(NewSerial()));
        generator.SetSignature(signer.Algorithm);
        // The parent's own bytes, so that chains match byte for byte (RFC 5280 section 4.1.2.4).
        generator.SetIssuer(parent is null ? subject : SubjectName(parent));
        generator.SetSubject(subject);
        generator.SetStartDate(new Time(notBefore.UtcDateTime));
        generator.SetEndDate(new Time(notAfter.UtcDateTime));
        generator.SetSubjectPublicKeyInfo(KeyOf(key));
        generator.SetExtensions(Extensions(profile, key, parent));
        var signedPart = generator.GenerateTbsCertificate();
        var signature = signer.Sign(signedPart.GetEncoded(Asn1Encodable.Der));
        var certificate = new DerSequence(signedPart, signer.Algorithm, new DerBitString(signature));
        return CertificateDocument.FromDer(certificate.GetEncoded(Asn1Encodable.Der));
    }

    /// <summary>RFC 5280 section 4.2.1, in a fixed order.</summary>
    private static X509Extensions Extensions(CertificateProfile profile, PublicKeyInfo key, CertificateDocument? parent)
    {
        var generator = new X509ExtensionsGenerator();
        generator.AddExtension(X509Extensions.BasicConstraints, critical: true,
            profile.PathLength is { } length ? new BasicConstraints(length) : new BasicConstraints(profile.IsCa));
        generator.AddExtension(X509Extensions.KeyUsage, critical: true, Usage(profile.KeyUsage));
        if (profile.ExtendedKeyUsages.Count > 0)
            generator.AddExtension(X509Extensions.ExtendedKeyUsage, critical: false,
                new ExtendedKeyUsage([.. profile.ExtendedKeyUsages.Select(o => new DerObjectIdentifier(o))]));

        generator.AddExtension(X509Extensions.SubjectKeyIdentifier, critical: false,
            new SubjectKeyIdentifier(profile.Like is { } like ? KeyId(like) : key.KeyId));
        // The key identifier alone: naming issuer and serial would break when the root is renewed with its key. A root needs none.
        if (parent is not null)
            generator.AddExtension(X509Extensions.AuthorityKeyIdentifier, critical: false, new AuthorityKeyIdentifier(KeyId(parent)));

        GeneralName[] names =
        [
            .. profile.DnsNames.Select(n => new GeneralName(GeneralName.DnsName, n)),
            .. profile.Uris.Select(u => new GeneralName(GeneralName.UniformResourceIdentifier, u)),
        ];
        // Critical exactly if the subject is empty (RFC 5280 section 4.2.1.6).
        if (names.Length > 0)
            generator.AddExtension(X509Extensions.SubjectAlternativeName, critical: profile.Subject.Count == 0, new GeneralNames(names));
        return generator.Generate();
    }

    /// <summary>A user's own root may lack the extension: then the value that it would have.</summary>
    internal static byte[] KeyId(CertificateDocument ca) => ca.SubjectKeyId is { } id ? Convert.FromHexString(id) : ca.Key.KeyId;

    private static SubjectPublicKeyInfo KeyOf(PublicKeyInfo key) =>
        SubjectPublicKeyInfo.GetInstance(Asn1Object.FromByteArray(key.Der.ToArray()));

    internal static X509Name SubjectName(CertificateDocument of) => X509Name.GetInstance(Asn1Object.FromByteArray(of.RawSubject.ToArray()));

    private static X509Name SubjectName(IEnumerable<NameAttribute> attributes) => X509Name.GetInstance(new DerSequence((Asn1Encodable[])
        [.. attributes.Select(a => new DerSet(new DerSequence(Oid(a.Type), new DerUtf8String(a.Value))))]));

    private static DerObjectIdentifier Oid(string type) => type switch
    {
        "O" => X509Name.O,
        "CN" => X509Name.CN,
        "L" => X509Name.L,
        _ => throw new ArgumentException($"No profile has the attribute '{type}'.", nameof(type)),
    };

    /// <summary>BouncyCastle numbers the bits of the first octet from its top: bit 0 (digitalSignature) is 0x80.</summary>
    private static KeyUsage Usage(CertificateKeyUsage usage) =>
        new(Enumerable.Range(0, 8).Where(bit => ((int)usage & (1 << bit)) != 0).Sum(bit => 0x80 >> bit));

    /// <summary>127 random bits in 16 octets, positive and not zero (RFC 5280 section 4.1.2.2): no shared counter, so no race.</summary>
    private static BigInteger NewSerial()
    {
        Span<byte> octets = stackalloc byte[16];
        do
        {
            RandomNumberGenerator.Fill(octets);
            octets[0] &= 0x7f;
            // A first octet of zero would make the number shorter than others; nothing forbids it, but equal lengths read better.
        }
        while (octets[0] == 0);
        return new BigInteger(1, octets);
    }
}

/// <summary>A key that signs certificates, loaded once for many: the platform signs several times faster than managed code.</summary>
internal sealed class CertificateSigner : IDisposable
{
    private readonly Lock _lock = new();
    private readonly AsymmetricAlgorithm _key;
    private readonly HashAlgorithmName _hash;

    internal CertificateSigner(PrivateKeyPem key)
    {
        _key = key.Open();
        // A P-384 key deserves its own hash; everything else takes SHA-256, as the Makefile does.
        _hash = _key is ECDsa { KeySize: > 256 } ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
        Algorithm = _key switch
        {
            RSA => new AlgorithmIdentifier(PkcsObjectIdentifiers.Sha256WithRsaEncryption, DerNull.Instance),
            _ when _hash == HashAlgorithmName.SHA384 => new AlgorithmIdentifier(X9ObjectIdentifiers.ECDsaWithSha384),
            _ => new AlgorithmIdentifier(X9ObjectIdentifiers.ECDsaWithSha256),
        };
    }

    internal AlgorithmIdentifier Algorithm { get; }

    /// <summary>One at a time: the platform's key objects are not guaranteed to be thread-safe.</summary>
    internal byte[] Sign(byte[] signedPart)
    {
        lock (_lock)
        {
            return _key is RSA rsa
                ? rsa.SignData(signedPart, _hash, RSASignaturePadding.Pkcs1)
                : ((ECDsa)_key).SignData(signedPart, _hash, DSASignatureFormat.Rfc3279DerSequence);
        }
    }

    public void Dispose() => _key.Dispose();
}
