using System.Security.Cryptography;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Security;

namespace MeshTrust.Pki;

/// <summary>Checks the signature on a certificate or a CRL with the platform's own RSA and ECDSA, and all that is rarer (RSA-PSS, Ed25519) with BouncyCastle.</summary>
internal static class SignatureVerification
{
    /// <param name="algorithm">The signature's algorithm.</param>
    /// <param name="signedPart">What was signed: the first part of a certificate or of a CRL.</param>
    /// <param name="signature">The signature.</param>
    /// <param name="key">The key that is said to have signed it.</param>
    internal static bool Verify(SignatureAlgorithmIdentifier algorithm, ReadOnlySpan<byte> signedPart, ReadOnlySpan<byte> signature, PublicKeyFields key)
    {
        try
        {
            if (algorithm.Hash is not { } hash || algorithm.Oid == SignatureAlgorithmIdentifier.RsaPss) return VerifyRare(algorithm, signedPart, signature, key);
            // .NET names its hashes without the dash.
            var name = new HashAlgorithmName(hash.Replace("-", "", StringComparison.Ordinal));
            return algorithm.Name.StartsWith("ecdsa", StringComparison.Ordinal) ? VerifyEcdsa(signedPart, signature, name, key) : VerifyRsa(signedPart, signature, name, key);
        }
        // A key that does not load, or a hash that the platform no longer has (MD2): nothing that could be trusted.
        catch (Exception fault) when (fault is CryptographicException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static bool VerifyRsa(ReadOnlySpan<byte> signedPart, ReadOnlySpan<byte> signature, HashAlgorithmName hash, PublicKeyFields key)
    {
        if (key.Algorithm != "RSA") return false;
        using var rsa = RSA.Create();
        rsa.ImportRSAPublicKey(key.KeyBits.Span, out _);
        return rsa.VerifyData(signedPart, signature, hash, RSASignaturePadding.Pkcs1);
    }

    private static bool VerifyEcdsa(ReadOnlySpan<byte> signedPart, ReadOnlySpan<byte> signature, HashAlgorithmName hash, PublicKeyFields key)
    {
        if (key.Algorithm != "ECDSA") return false;
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(key.Der.Span, out _);
        return ecdsa.VerifyData(signedPart, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>PSS with a salt of any length, which .NET does not take, and Ed25519, which it does not have.</summary>
    private static bool VerifyRare(SignatureAlgorithmIdentifier algorithm, ReadOnlySpan<byte> signedPart, ReadOnlySpan<byte> signature, PublicKeyFields key)
    {
        if (Signer(algorithm, key) is not { } signer) return false;
        try
        {
            signer.Init(forSigning: false, PublicKeyFactory.CreateKey(PlainInfo(key)));
            signer.BlockUpdate(signedPart);
            return signer.VerifySignature(signature.ToArray());
        }
        // BouncyCastle throws many kinds for keys and signatures that are damaged; none of them is one to trust.
        catch (Exception)
        {
            return false;
        }
    }

    private static ISigner? Signer(SignatureAlgorithmIdentifier algorithm, PublicKeyFields key) => (algorithm.Name, key.Algorithm, algorithm.Hash) switch
    {
        ("ED25519", "Ed25519", _) => new Ed25519Signer(),
        ("rsassaPss", "RSA" or "RSA-PSS", { } hash) => new PssSigner(new RsaBlindedEngine(), DigestUtilities.GetDigest(hash), algorithm.SaltLength),
        _ => null,
    };

    private static SubjectPublicKeyInfo PlainInfo(PublicKeyFields key) => SubjectPublicKeyInfo.GetInstance(Asn1Object.FromByteArray(key.Der.ToArray()));
}
