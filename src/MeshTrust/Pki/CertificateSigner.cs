using System.Security.Cryptography;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Asn1.X9;

namespace MeshTrust.Pki;

/// <summary>A key that signs certificates, loaded once for many: the platform's signature is several times as fast as a managed one.</summary>
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

    /// <summary>One at a time: the platform's key objects are not promised to be safe for several threads.</summary>
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
