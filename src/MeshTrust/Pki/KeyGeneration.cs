using System.Security.Cryptography;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>Makes keys with the platform's own generator (OpenSSL, CNG or Apple's), which is the fastest sound one that there is.</summary>
/// <remarks>docs/certificates.md has the measurement against BouncyCastle.</remarks>
internal static class KeyGeneration
{
    /// <summary>Makes one key. RSA takes up to seconds; a generation that has begun cannot be cancelled.</summary>
    public static PrivateKeyPem Generate(KeyAlgorithm algorithm)
    {
        using AsymmetricAlgorithm key = algorithm switch
        {
            KeyAlgorithm.Rsa2048 => RSA.Create(2048),
            KeyAlgorithm.Rsa3072 => RSA.Create(3072),
            KeyAlgorithm.Rsa4096 => RSA.Create(4096),
            KeyAlgorithm.EcdsaP256 => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            KeyAlgorithm.EcdsaP384 => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
        };
        return PrivateKeyPem.FromGenerated(key.ExportPkcs8PrivateKey(), key.ExportSubjectPublicKeyInfo());
    }
}
