using System.Globalization;
using System.Security.Cryptography;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Math;

namespace MeshTrust.Pki;

/// <summary>Issues certificates. Pure but for the clock and the random serial numbers; safe to use from several threads.</summary>
/// <param name="time">The clock.</param>
public sealed class CertificateIssuer(TimeProvider time)
{
    /// <summary>How far a certificate starts before its issue, so that a cluster whose clock lags takes it at once.</summary>
    public static TimeSpan Backdating { get; } = TimeSpan.FromMinutes(5);

    /// <summary>Issues a root: signed with its own key.</summary>
    public IssuedCertificate IssueRoot(CertificateProfile profile, PrivateKeyPem key)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(key);
        using var signer = new CertificateSigner(key);
        var (notBefore, notAfter) = Validity(profile);
        return new IssuedCertificate(Build(profile, key.SubjectPublicKeyInfo, null, signer, notBefore, notAfter), null);
    }

    /// <summary>Issues a certificate under a parent. It starts no earlier than the parent and ends no later than any ancestor.</summary>
    /// <param name="profile">What to say.</param>
    /// <param name="subjectPublicKeyInfo">The key to certify.</param>
    /// <param name="ancestors">The parent first, then its own issuers up to the root. At least one.</param>
    /// <param name="parentKey">The parent's key.</param>
    public IssuedCertificate Issue(CertificateProfile profile, ReadOnlyMemory<byte> subjectPublicKeyInfo, IReadOnlyList<CertificateDocument> ancestors, PrivateKeyPem parentKey)
    {
        using var signer = new CertificateSigner(parentKey);
        return Issue(profile, subjectPublicKeyInfo, ancestors, signer);
    }

    internal IssuedCertificate Issue(CertificateProfile profile, ReadOnlyMemory<byte> subjectPublicKeyInfo, IReadOnlyList<CertificateDocument> ancestors, CertificateSigner signer)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(ancestors);
        var (notBefore, requested) = Validity(profile);
        if (notBefore < ancestors[0].NotBefore) notBefore = ancestors[0].NotBefore;
        var notAfter = requested;
        foreach (var ancestor in ancestors)
        {
            if (ancestor.NotAfter < notAfter) notAfter = ancestor.NotAfter;
        }

        var certificate = Build(profile, subjectPublicKeyInfo, ancestors[0], signer, notBefore, notAfter);
        return new IssuedCertificate(certificate, notAfter < requested ? requested : null);
    }

    /// <summary>Issues under a parent without looking at the parent's own times: for the probe leaf, which asks whether peers mind.</summary>
    internal CertificateDocument IssueUnclamped(CertificateProfile profile, ReadOnlyMemory<byte> subjectPublicKeyInfo, CertificateDocument parent, PrivateKeyPem parentKey)
    {
        using var signer = new CertificateSigner(parentKey);
        var (notBefore, notAfter) = Validity(profile);
        return Build(profile, subjectPublicKeyInfo, parent, signer, notBefore, notAfter);
    }

    /// <summary>Whole seconds, as X.509 has no others; never beyond the last second that GeneralizedTime can tell (RFC 5280 section 4.1.2.5).</summary>
    private (DateTimeOffset NotBefore, DateTimeOffset NotAfter) Validity(CertificateProfile profile)
    {
        var now = time.GetUtcNow();
        now = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        var last = new DateTimeOffset(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);
        return (now - Backdating, profile.Lifetime > last - now ? last : now + profile.Lifetime);
    }

    private static CertificateDocument Build(CertificateProfile profile, ReadOnlyMemory<byte> subjectPublicKeyInfo, CertificateDocument? parent, CertificateSigner signer, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        var subject = SubjectName(profile.Subject);
        var generator = new V3TbsCertificateGenerator();
        generator.SetSerialNumber(new DerInteger(NewSerial()));
        generator.SetSignature(signer.Algorithm);
        // The parent's own bytes, so that chains fit byte for byte (RFC 5280 section 4.1.2.4).
        generator.SetIssuer(parent is null ? subject : X509Name.GetInstance(Asn1Object.FromByteArray(parent.RawSubject.ToArray())));
        generator.SetSubject(subject);
        generator.SetStartDate(new Time(notBefore.UtcDateTime));
        generator.SetEndDate(new Time(notAfter.UtcDateTime));
        generator.SetSubjectPublicKeyInfo(SubjectPublicKeyInfo.GetInstance(Asn1Object.FromByteArray(subjectPublicKeyInfo.ToArray())));
        generator.SetExtensions(CertificateExtensionSet.Build(profile, PublicKeyFields.Read(subjectPublicKeyInfo), parent));
        var signedPart = generator.GenerateTbsCertificate();
        var signature = signer.Sign(signedPart.GetEncoded(Asn1Encodable.Der));
        var certificate = new DerSequence(signedPart, signer.Algorithm, new DerBitString(signature));
        return CertificateDocument.FromDer(certificate.GetEncoded(Asn1Encodable.Der));
    }

    private static X509Name SubjectName(IReadOnlyList<NameAttribute> attributes) => X509Name.GetInstance(new DerSequence((Asn1Encodable[])
        [.. attributes.Select(a => (Asn1Encodable)new DerSet(new DerSequence(Oid(a.Type), new DerUtf8String(a.Value))))]));

    private static DerObjectIdentifier Oid(string type) => type switch
    {
        "O" => X509Name.O,
        "CN" => X509Name.CN,
        "L" => X509Name.L,
        _ => throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"No profile has the attribute '{type}'."), nameof(type)),
    };

    /// <summary>127 random bits in 16 octets, positive and not zero (RFC 5280 section 4.1.2.2): no file to share, so no race.</summary>
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
