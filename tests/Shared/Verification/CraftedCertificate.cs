using System.Security.Cryptography;
using MeshTrust.Pki;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.X509;

namespace MeshTrust.Tests.Verification;

/// <summary>The content of a crafted certificate; the defaults are a valid CA.</summary>
internal sealed record CraftedSpec
{
    public string[] Subject { get; init; } = ["O=Istio", "CN=Root CA"];

    public CraftedKey Key { get; init; } = CraftedKey.Curve();

    public DateTimeOffset NotBefore { get; init; } = DateTimeOffset.UtcNow.AddDays(-1);

    public DateTimeOffset NotAfter { get; init; } = DateTimeOffset.UtcNow.AddDays(3650);

    /// <summary>True: CA:TRUE; false: CA:FALSE; null: no basic constraints.</summary>
    public bool? Ca { get; init; } = true;

    public bool CaCritical { get; init; } = true;

    public int? PathLength { get; init; }

    /// <summary>Null: no key usage.</summary>
    public int? Usage { get; init; } = KeyUsage.KeyCertSign | KeyUsage.CrlSign | KeyUsage.DigitalSignature;

    public bool UsageCritical { get; init; } = true;

    public KeyPurposeID[] Purposes { get; init; } = [];

    public string[] Uris { get; init; } = [];

    public string[] Dns { get; init; } = [];

    public GeneralName[] Permitted { get; init; } = [];

    public GeneralName[] Excluded { get; init; } = [];

    public bool ConstraintsCritical { get; init; } = true;

    public string? Algorithm { get; init; }

    public byte[]? Serial { get; init; }

    public bool SubjectKeyId { get; init; } = true;

    public bool AuthorityKeyId { get; init; } = true;

    public byte[]? AuthorityKeyIdValue { get; init; }

    public bool AuthoritySerial { get; init; }

    public bool Printable { get; init; }

    /// <summary>Encodes the issuer's name again instead of copying it.</summary>
    public bool IssuerPrintable { get; init; }
}

/// <summary>A certificate with its key, created with BouncyCastle so that anything in it can be invalid.</summary>
internal sealed class CraftedCertificate
{
    private CraftedCertificate(X509Certificate certificate, CraftedSpec spec, X509Name name)
    {
        Spec = spec;
        Name = name;
        Certificate = certificate;
        Document = CertificateDocument.FromDer(certificate.GetEncoded());
    }

    public CraftedSpec Spec { get; }

    public X509Name Name { get; }

    public X509Certificate Certificate { get; }

    public CertificateDocument Document { get; }

    public CraftedKey Key => Spec.Key;

    public string Pem => Document.ToPem();

    public static CraftedCertificate Root(CraftedSpec? spec = null) => Issue(spec ?? new CraftedSpec(), null);

    public CraftedCertificate Sign(CraftedSpec spec) => Issue(spec, this);

    private static CraftedCertificate Issue(CraftedSpec spec, CraftedCertificate? issuer)
    {
        var generator = new X509V3CertificateGenerator();
        var name = NameOf(spec.Subject, spec.Printable);
        generator.SetSubjectDN(name);
        generator.SetIssuerDN(issuer is null ? name : spec.IssuerPrintable ? NameOf(issuer.Spec.Subject, true) : issuer.Name);
        generator.SetSerialNumber(spec.Serial is { } serial ? new BigInteger(serial) : new BigInteger(1, [0x5a, .. RandomNumberGenerator.GetBytes(15)]));
        generator.SetNotBefore(spec.NotBefore.UtcDateTime);
        generator.SetNotAfter(spec.NotAfter.UtcDateTime);
        generator.SetPublicKey(spec.Key.Pair.Public);
        if (spec.Ca is { } ca)
        {
            generator.AddExtension(X509Extensions.BasicConstraints, spec.CaCritical, spec.PathLength is { } length ? new BasicConstraints(length) : new BasicConstraints(ca));
        }

        if (spec.Usage is { } usage) generator.AddExtension(X509Extensions.KeyUsage, spec.UsageCritical, new KeyUsage(usage));
        if (spec.Purposes.Length > 0) generator.AddExtension(X509Extensions.ExtendedKeyUsage, false, new ExtendedKeyUsage(spec.Purposes));
        GeneralName[] names = [.. spec.Dns.Select(d => new GeneralName(GeneralName.DnsName, d)), .. spec.Uris.Select(u => new GeneralName(GeneralName.UniformResourceIdentifier, u))];
        if (names.Length > 0) generator.AddExtension(X509Extensions.SubjectAlternativeName, false, new GeneralNames(names));
        if (spec.Permitted.Length + spec.Excluded.Length > 0)
        {
            generator.AddExtension(X509Extensions.NameConstraints, spec.ConstraintsCritical, new Org.BouncyCastle.Asn1.X509.NameConstraints(
                spec.Permitted.Length == 0 ? null : Sequence(spec.Permitted),
                spec.Excluded.Length == 0 ? null : Sequence(spec.Excluded)));
        }

        if (spec.SubjectKeyId) generator.AddExtension(X509Extensions.SubjectKeyIdentifier, false, new SubjectKeyIdentifier(spec.Key.KeyId));
        if (issuer is not null && spec.AuthorityKeyId)
        {
            var keyId = spec.AuthorityKeyIdValue ?? issuer.Key.KeyId;
            generator.AddExtension(X509Extensions.AuthorityKeyIdentifier, false, spec.AuthoritySerial
                ? new AuthorityKeyIdentifier(keyId, new GeneralNames(new GeneralName(issuer.Name)), issuer.Certificate.SerialNumber)
                : new AuthorityKeyIdentifier(keyId));
        }

        return new CraftedCertificate(generator.Generate((issuer?.Key ?? spec.Key).Signer(spec.Algorithm)), spec, name);
    }

    private static GeneralSubtrees Sequence(GeneralName[] names)
    {
        Asn1Encodable[] subtrees = [.. names.Select(name => new GeneralSubtree(name))];
        return GeneralSubtrees.GetInstance(new DerSequence(subtrees));
    }

    private static X509Name NameOf(string[] subject, bool printable)
    {
        Asn1Encodable[] parts = [.. subject.Select(part => Attribute(part, printable))];
        return X509Name.GetInstance(new DerSequence(parts));
    }

    private static DerSet Attribute(string part, bool printable)
    {
        var at = part.IndexOf('=', StringComparison.Ordinal);
        var oid = part[..at] switch { "O" => X509Name.O, "CN" => X509Name.CN, "L" => X509Name.L, _ => throw new ArgumentException(part) };
        Asn1Encodable value = printable ? new DerPrintableString(part[(at + 1)..]) : new DerUtf8String(part[(at + 1)..]);
        return new DerSet(new DerSequence(oid, value));
    }
}
