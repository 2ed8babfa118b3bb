using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Pki;

/// <summary>The extensions of a certificate to be issued (RFC 5280 section 4.2.1), in a fixed order.</summary>
internal static class CertificateExtensionSet
{
    internal static X509Extensions Build(CertificateProfile profile, PublicKeyFields key, CertificateDocument? parent)
    {
        var generator = new X509ExtensionsGenerator();
        generator.AddExtension(X509Extensions.BasicConstraints, critical: true, (profile.IsCa, profile.PathLength) switch
        {
            (true, { } length) => new BasicConstraints(length),
            (true, null) => new BasicConstraints(cA: true),
            _ => new BasicConstraints(cA: false),
        });
        generator.AddExtension(X509Extensions.KeyUsage, critical: true, KeyUsage(profile.KeyUsage));
        if (profile.ExtendedKeyUsages.Count > 0)
        {
            generator.AddExtension(X509Extensions.ExtendedKeyUsage, critical: false, new ExtendedKeyUsage([.. profile.ExtendedKeyUsages.Select(o => new DerObjectIdentifier(o))]));
        }

        generator.AddExtension(X509Extensions.SubjectKeyIdentifier, critical: false, new SubjectKeyIdentifier(KeyIdentifier(key)));
        // The key identifier alone: naming issuer and serial would break when the root is renewed with its key. A root needs none.
        if (parent is not null)
        {
            // A root that was brought may lack the extension: then what it would have said.
            var identifier = parent.SubjectKeyId is { } id ? Convert.FromHexString(id) : KeyIdentifier(PublicKeyFields.Read(parent.SubjectPublicKeyInfo));
            generator.AddExtension(X509Extensions.AuthorityKeyIdentifier, critical: false, new AuthorityKeyIdentifier(identifier));
        }

        GeneralName[] names =
        [
            .. profile.DnsNames.Select(n => new GeneralName(GeneralName.DnsName, n)),
            .. profile.Uris.Select(u => new GeneralName(GeneralName.UniformResourceIdentifier, u)),
        ];
        // Critical exactly where the subject is empty (RFC 5280 section 4.2.1.6).
        if (names.Length > 0) generator.AddExtension(X509Extensions.SubjectAlternativeName, critical: profile.Subject.Count == 0, new GeneralNames(names));
        return generator.Generate();
    }

    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "RFC 5280 section 4.2.1.2 (1): an identifier, no protection; istiod and OpenSSL make it so.")]
    private static byte[] KeyIdentifier(PublicKeyFields key) => SHA1.HashData(key.KeyBits.Span);

    /// <summary>BouncyCastle numbers the bits of the first octet from its top: bit 0 (digitalSignature) is 0x80.</summary>
    private static KeyUsage KeyUsage(CertificateKeyUsage usage)
    {
        var bits = 0;
        for (var bit = 0; bit < 8; bit++)
        {
            if (((int)usage & (1 << bit)) != 0) bits |= 0x80 >> bit;
        }

        return new KeyUsage(bits);
    }
}
