namespace MeshTrust.Settings;

/// <summary>The CA keys that istiod, Envoy and ztunnel all take (istio security/pkg/pki/util/generate_cert.go names P-256 and P-384).</summary>
public enum KeyAlgorithm
{
    /// <summary>RSA, 2048 bits.</summary>
    Rsa2048,

    /// <summary>RSA, 3072 bits.</summary>
    Rsa3072,

    /// <summary>RSA, 4096 bits: the default of Istio's Makefile.</summary>
    Rsa4096,

    /// <summary>ECDSA on NIST P-256.</summary>
    EcdsaP256,

    /// <summary>ECDSA on NIST P-384.</summary>
    EcdsaP384,
}
