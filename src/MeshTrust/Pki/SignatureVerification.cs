using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;

namespace MeshTrust.Pki;

/// <summary>Checks the signature on a certificate with the platform's own RSA and ECDSA, and Ed25519 with BouncyCastle.</summary>
internal static class SignatureVerification
{
    internal static bool Verify(SignatureAlgorithmIdentifier algorithm, ReadOnlySpan<byte> signedPart, ReadOnlySpan<byte> signature, PublicKeyFields key)
    {
        try
        {
            if (algorithm.Name == "ED25519") return VerifyEd25519(signedPart, signature, key);
            if (algorithm.Hash is not { } hash) return false;
            // .NET names its hashes without the dash.
            var name = new HashAlgorithmName(hash.Replace("-", "", StringComparison.Ordinal));
            if (algorithm.Name.StartsWith("ecdsa", StringComparison.Ordinal)) return VerifyEcdsa(signedPart, signature, name, key);
            return VerifyRsa(signedPart, signature, name, algorithm.Oid == SignatureAlgorithmIdentifier.RsaPss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1, key);
        }
        // A key that does not load, or a hash that the platform no longer has (MD2, MD5): nothing that could be trusted.
        catch (Exception fault) when (fault is CryptographicException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static bool VerifyRsa(ReadOnlySpan<byte> signedPart, ReadOnlySpan<byte> signature, HashAlgorithmName hash, RSASignaturePadding padding, PublicKeyFields key)
    {
        if (key.Algorithm is not ("RSA" or "RSA-PSS")) return false;
        using var rsa = RSA.Create();
        rsa.ImportRSAPublicKey(key.KeyBits.Span, out _);
        return rsa.VerifyData(signedPart, signature, hash, padding);
    }

    private static bool VerifyEcdsa(ReadOnlySpan<byte> signedPart, ReadOnlySpan<byte> signature, HashAlgorithmName hash, PublicKeyFields key)
    {
        if (key.Algorithm != "ECDSA") return false;
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(key.Der.Span, out _);
        return ecdsa.VerifyData(signedPart, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    private static bool VerifyEd25519(ReadOnlySpan<byte> signedPart, ReadOnlySpan<byte> signature, PublicKeyFields key)
    {
        if (key.Algorithm != "Ed25519" || key.KeyBits.Length != Ed25519PublicKeyParameters.KeySize) return false;
        var signer = new Ed25519Signer();
        signer.Init(forSigning: false, new Ed25519PublicKeyParameters(key.KeyBits.ToArray()));
        signer.BlockUpdate(signedPart);
        return signer.VerifySignature(signature.ToArray());
    }
}
