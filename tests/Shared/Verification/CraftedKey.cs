using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Operators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Pkcs;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509;

namespace MeshTrust.Tests.Verification;

/// <summary>A key for crafted certificates, including types that MeshTrust never creates.</summary>
internal sealed class CraftedKey
{
    private static readonly SecureRandom Random = new();

    private CraftedKey(AsymmetricCipherKeyPair pair) => Pair = pair;

    public AsymmetricCipherKeyPair Pair { get; }

    public SubjectPublicKeyInfo PublicInfo => SubjectPublicKeyInfoFactory.CreateSubjectPublicKeyInfo(Pair.Public);

#pragma warning disable CA5350 // RFC 5280 4.2.1.2, method 1: an identifier, no protection
    public byte[] KeyId => SHA1.HashData(PublicInfo.PublicKey.GetBytes());
#pragma warning restore CA5350

    public string Pkcs8 => Pem("PRIVATE KEY", PrivateKeyInfoFactory.CreatePrivateKeyInfo(Pair.Private).GetDerEncoded());

    /// <summary>The old form: RSA PRIVATE KEY or EC PRIVATE KEY.</summary>
    public string Traditional
    {
        get
        {
            var info = PrivateKeyInfoFactory.CreatePrivateKeyInfo(Pair.Private).GetDerEncoded();
            if (Pair.Private is RsaKeyParameters)
            {
                using var rsa = RSA.Create();
                rsa.ImportPkcs8PrivateKey(info, out _);
                return Pem("RSA PRIVATE KEY", rsa.ExportRSAPrivateKey());
            }

            using var ec = ECDsa.Create();
            ec.ImportPkcs8PrivateKey(info, out _);
            return Pem("EC PRIVATE KEY", ec.ExportECPrivateKey());
        }
    }

    public static CraftedKey Curve(string name = "P-256")
    {
        var generator = new ECKeyPairGenerator();
        generator.Init(new ECKeyGenerationParameters(Org.BouncyCastle.Asn1.X9.ECNamedCurveTable.GetOid(name), Random));
        return new CraftedKey(generator.GenerateKeyPair());
    }

    public static CraftedKey Rsa(int bits)
    {
        using var rsa = RSA.Create(bits);
        return new CraftedKey(DotNetUtilities.GetRsaKeyPair(rsa));
    }

    public static CraftedKey FromPem(string pem)
    {
        using var ec = ECDsa.Create();
        ec.ImportFromPem(pem);
        var key = (ECPrivateKeyParameters)PrivateKeyFactory.CreateKey(ec.ExportPkcs8PrivateKey());
        return new CraftedKey(new(new ECPublicKeyParameters(key.AlgorithmName, key.Parameters.G.Multiply(key.D), key.PublicKeyParamSet), key));
    }

    public static CraftedKey Ed25519()
    {
        var generator = new Ed25519KeyPairGenerator();
        generator.Init(new Ed25519KeyGenerationParameters(Random));
        return new CraftedKey(generator.GenerateKeyPair());
    }

    public ISignatureFactory Signer(string? algorithm = null) => new Asn1SignatureFactory(
        algorithm ?? Pair.Private switch
        {
            Ed25519PrivateKeyParameters => "Ed25519",
            RsaKeyParameters => "SHA256WITHRSA",
            _ => "SHA256WITHECDSA",
        },
        Pair.Private,
        Random);

    public static string Pem(string label, byte[] der) => PemEncoding.WriteString(label, der) + "\n";

    /// <summary>Every base64 line of a PEM text: none may ever appear in a report.</summary>
    public static IEnumerable<string> Lines(ReadOnlySpan<byte> pem) =>
        Encoding.ASCII.GetString(pem).Split('\n').Select(l => l.Trim()).Where(l => l.Length > 8 && !l.StartsWith("-----", StringComparison.Ordinal));

    public static X509Crl Crl(CraftedCertificate issuer, DateTimeOffset nextUpdate)
    {
        var generator = new X509V2CrlGenerator();
        generator.SetIssuerDN(issuer.Name);
        generator.SetThisUpdate(DateTime.UtcNow.AddHours(-1));
        generator.SetNextUpdate(nextUpdate.UtcDateTime);
        generator.AddExtension(X509Extensions.CrlNumber, false, new CrlNumber(Org.BouncyCastle.Math.BigInteger.One));
        return generator.Generate(issuer.Key.Signer());
    }
}
