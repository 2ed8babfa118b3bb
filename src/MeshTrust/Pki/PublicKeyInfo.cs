using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using MeshTrust.Settings;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Security;

namespace MeshTrust.Pki;

/// <summary>A subjectPublicKeyInfo: its bytes, its key type, and signature verification.</summary>
/// <param name="Der">The complete encoding.</param>
/// <param name="KeyBits">The content of the BIT STRING.</param>
/// <param name="Algorithm"><c>RSA</c>, <c>ECDSA</c>, <c>Ed25519</c>, <c>RSA-PSS</c>, or an OID.</param>
/// <param name="Bits">The size of the modulus or of the curve's field; 0 if unknown.</param>
/// <param name="Text">For instance <c>RSA 4096</c> or <c>ECDSA P-256</c>.</param>
internal sealed record PublicKeyInfo(ReadOnlyMemory<byte> Der, ReadOnlyMemory<byte> KeyBits, string Algorithm, int Bits, string Text)
{
    /// <summary>The key as one of the types that MeshTrust generates; null for any other.</summary>
    internal KeyAlgorithm? Known => Enum.GetValues<KeyAlgorithm>().Cast<KeyAlgorithm?>().FirstOrDefault(a => Name(a!.Value) == Text);

    /// <summary>Whether every part of Istio accepts it: Go's TLS and ring (ztunnel) take RSA from 2048 to 8192 bits.</summary>
    internal bool IsAccepted => Known is not null || this is { Algorithm: "RSA", Bits: >= 2048 and <= 8192 };

    internal const string RefusalStart = "Not every Istio component accepts a key of this type";

    /// <summary>Says of a type or size that not every part of Istio accepts what to use instead.</summary>
    internal static string Refusal(string type) =>
        $"{RefusalStart} ({type}): use RSA with 2048 to 8192 bits, or ECDSA P-256 or P-384.";

    /// <summary>RFC 5280 section 4.2.1.2 (1).</summary>
    [SuppressMessage("Security", "CA5350", Justification = "An identifier, not a protection; istiod and OpenSSL do the same.")]
    internal byte[] KeyId => SHA1.HashData(KeyBits.Span);

    internal static string Name(KeyAlgorithm algorithm) => algorithm switch
    {
        KeyAlgorithm.Rsa2048 => "RSA 2048",
        KeyAlgorithm.Rsa3072 => "RSA 3072",
        KeyAlgorithm.Rsa4096 => "RSA 4096",
        KeyAlgorithm.EcdsaP256 => "ECDSA P-256",
        KeyAlgorithm.EcdsaP384 => "ECDSA P-384",
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };

    internal static PublicKeyInfo FromDer(byte[] der) => Read(StrictDer.Read(der));

    internal static PublicKeyInfo Read(Asn1Encodable subjectPublicKeyInfo)
    {
        var info = SubjectPublicKeyInfo.GetInstance(subjectPublicKeyInfo);
        var oid = info.Algorithm.Algorithm.Id;
        var (name, bits, text) = oid switch
        {
            "1.2.840.113549.1.1.1" => Rsa("RSA", info),
            "1.2.840.113549.1.1.10" => Rsa("RSA-PSS", info),
            "1.2.840.10045.2.1" => Curve(info.Algorithm.Parameters as DerObjectIdentifier),
            _ => (NameOf(oid), 0, NameOf(oid)),
        };
        return new PublicKeyInfo(subjectPublicKeyInfo.GetDerEncoded(), info.PublicKey.GetBytes(), name, bits, text);
    }

    /// <summary>The name of a key type that MeshTrust only names; the OID if it has none.</summary>
    internal static string NameOf(string oid) => oid switch
    {
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.10040.4.1" => "DSA",
        "1.3.101.110" => "X25519",
        "1.3.101.111" => "X448",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        _ => oid,
    };

    /// <summary>Verifies a signature with the platform's RSA and ECDSA; rarer algorithms (RSA-PSS, Ed25519) with BouncyCastle.</summary>
    internal bool Verify(SignatureScheme algorithm, byte[] signedPart, byte[] signature)
    {
        try
        {
            return (algorithm.Kind, Algorithm) switch
            {
                (SignatureKind.Rsa, "RSA") => VerifyRsa(algorithm, signedPart, signature),
                (SignatureKind.Ecdsa, "ECDSA") => VerifyEcdsa(algorithm, signedPart, signature),
                (SignatureKind.RsaPss, "RSA" or "RSA-PSS") when algorithm.Hash is { } hash => Verify(
                    new PssSigner(new RsaBlindedEngine(), DigestUtilities.GetDigest(hash), algorithm.SaltLength), signedPart, signature),
                (SignatureKind.Ed25519, "Ed25519") => Verify(new Ed25519Signer(), signedPart, signature),
                _ => false,
            };
        }
        // A key that does not load, a hash that the platform no longer has (MD2), or any of BouncyCastle's exceptions: not trusted.
        catch (Exception)
        {
            return false;
        }
    }

    private bool VerifyRsa(SignatureScheme algorithm, byte[] signedPart, byte[] signature)
    {
        using var rsa = RSA.Create();
        rsa.ImportRSAPublicKey(KeyBits.Span, out _);
        return rsa.VerifyData(signedPart, signature, algorithm.HashName, RSASignaturePadding.Pkcs1);
    }

    private bool VerifyEcdsa(SignatureScheme algorithm, byte[] signedPart, byte[] signature)
    {
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(Der.Span, out _);
        return ecdsa.VerifyData(signedPart, signature, algorithm.HashName, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>PSS with a salt of any length and Ed25519: .NET supports neither.</summary>
    private bool Verify(ISigner signer, byte[] signedPart, byte[] signature)
    {
        signer.Init(forSigning: false, PublicKeyFactory.CreateKey(Der.ToArray()));
        signer.BlockUpdate(signedPart, 0, signedPart.Length);
        return signer.VerifySignature(signature);
    }

    private static (string Name, int Bits, string Text) Rsa(string name, SubjectPublicKeyInfo info)
    {
        var bits = RsaPublicKeyStructure.GetInstance(info.ParsePublicKey()).Modulus.BitLength;
        return (name, bits, $"{name} {bits}");
    }

    private static (string Name, int Bits, string Text) Curve(DerObjectIdentifier? curve) => curve?.Id switch
    {
        null => ("ECDSA", 0, "ECDSA without a named curve"),
        "1.2.840.10045.3.1.7" => ("ECDSA", 256, "ECDSA P-256"),
        "1.3.132.0.34" => ("ECDSA", 384, "ECDSA P-384"),
        "1.3.132.0.35" => ("ECDSA", 521, "ECDSA P-521"),
        "1.3.132.0.33" => ("ECDSA", 224, "ECDSA P-224"),
        "1.3.132.0.10" => ("ECDSA", 256, "ECDSA secp256k1"),
        var oid => ("ECDSA", 0, $"ECDSA curve {oid}"),
    };
}

internal enum SignatureKind
{
    Other,
    Rsa,
    RsaPss,
    Ecdsa,
    Ed25519,
}

/// <summary>The algorithm of a signature (RFC 3279, RFC 4055, RFC 5758, RFC 8410).</summary>
/// <param name="Kind">How it is verified.</param>
/// <param name="Name">The readable name, as OpenSSL writes it; else the OID.</param>
/// <param name="Hash">The hash, for instance <c>SHA-256</c>; null if there is none or it is unknown.</param>
/// <param name="SaltLength">The length of a PSS salt, which verification needs.</param>
internal sealed record SignatureScheme(SignatureKind Kind, string Name, string? Hash, int SaltLength = 0)
{
    /// <summary>.NET names its hashes without the dash.</summary>
    internal HashAlgorithmName HashName => new(Hash?.Replace("-", "", StringComparison.Ordinal));

    internal static SignatureScheme Read(AlgorithmIdentifier algorithm) => algorithm.Algorithm.Id switch
    {
        "1.2.840.113549.1.1.2" => new(SignatureKind.Rsa, "md2WithRSAEncryption", "MD2"),
        "1.2.840.113549.1.1.4" => new(SignatureKind.Rsa, "md5WithRSAEncryption", "MD5"),
        "1.2.840.113549.1.1.5" => new(SignatureKind.Rsa, "sha1WithRSAEncryption", "SHA-1"),
        "1.2.840.113549.1.1.14" => new(SignatureKind.Rsa, "sha224WithRSAEncryption", "SHA-224"),
        "1.2.840.113549.1.1.11" => new(SignatureKind.Rsa, "sha256WithRSAEncryption", "SHA-256"),
        "1.2.840.113549.1.1.12" => new(SignatureKind.Rsa, "sha384WithRSAEncryption", "SHA-384"),
        "1.2.840.113549.1.1.13" => new(SignatureKind.Rsa, "sha512WithRSAEncryption", "SHA-512"),
        "1.2.840.113549.1.1.10" => ReadPss(RsassaPssParameters.GetInstance(algorithm.Parameters) ?? new RsassaPssParameters()),
        "1.2.840.10045.4.1" => new(SignatureKind.Ecdsa, "ecdsa-with-SHA1", "SHA-1"),
        "1.2.840.10045.4.3.1" => new(SignatureKind.Ecdsa, "ecdsa-with-SHA224", "SHA-224"),
        "1.2.840.10045.4.3.2" => new(SignatureKind.Ecdsa, "ecdsa-with-SHA256", "SHA-256"),
        "1.2.840.10045.4.3.3" => new(SignatureKind.Ecdsa, "ecdsa-with-SHA384", "SHA-384"),
        "1.2.840.10045.4.3.4" => new(SignatureKind.Ecdsa, "ecdsa-with-SHA512", "SHA-512"),
        "1.3.101.112" => new(SignatureKind.Ed25519, "ED25519", null),
        var oid => new(SignatureKind.Other, oid, null),
    };

    private static SignatureScheme ReadPss(RsassaPssParameters parameters)
    {
        if (!parameters.SaltLength.TryGetIntValueExact(out var salt) || salt is < 0 or > 1024)
            throw new FormatException("the salt length of its signature is invalid.");
        string? hash = parameters.HashAlgorithm.Algorithm.Id switch
        {
            "1.3.14.3.2.26" => "SHA-1",
            "2.16.840.1.101.3.4.2.1" => "SHA-256",
            "2.16.840.1.101.3.4.2.2" => "SHA-384",
            "2.16.840.1.101.3.4.2.3" => "SHA-512",
            _ => null,
        };
        return new SignatureScheme(SignatureKind.RsaPss, "rsassaPss", hash, salt);
    }
}
