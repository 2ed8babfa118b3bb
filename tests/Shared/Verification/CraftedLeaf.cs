using MeshTrust.Pki;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto.Operators;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509;

namespace MeshTrust.Tests.Verification;

/// <summary>A workload certificate from a CA whose key MeshTrust rejects.</summary>
internal static class CraftedLeaf
{
    public static CertificateDocument Issue(CertificateDocument ca, string keyPem, string spiffeId)
    {
        var der = Convert.FromBase64String(string.Concat(keyPem.Split('\n').Where(l => !l.StartsWith("-----", StringComparison.Ordinal))));
        var generator = new X509V3CertificateGenerator();
        generator.SetSubjectDN(new X509Name("CN=probe"));
        generator.SetIssuerDN(X509Name.GetInstance(Org.BouncyCastle.Asn1.Asn1Object.FromByteArray(ca.RawSubject.ToArray())));
        generator.SetSerialNumber(BigInteger.ValueOf(4711));
        generator.SetNotBefore(DateTime.UtcNow.AddMinutes(-5));
        generator.SetNotAfter(DateTime.UtcNow.AddHours(1));
        generator.SetPublicKey(CraftedKey.Curve().Pair.Public);
        generator.AddExtension(X509Extensions.ExtendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeID.id_kp_serverAuth, KeyPurposeID.id_kp_clientAuth));
        generator.AddExtension(X509Extensions.SubjectAlternativeName, false, new GeneralNames(new GeneralName(GeneralName.UniformResourceIdentifier, spiffeId)));
        return CertificateDocument.FromDer(generator.Generate(new Asn1SignatureFactory("Ed25519", PrivateKeyFactory.CreateKey(der), new SecureRandom())).GetEncoded());
    }
}
