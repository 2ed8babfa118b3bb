namespace MeshTrust.Pki;

/// <summary>The bits of the key usage extension (RFC 5280 section 4.2.1.3); bit n of the extension is <c>1 &lt;&lt; n</c>.</summary>
[Flags]
public enum CertificateKeyUsage
{
    /// <summary>No bit.</summary>
    None = 0,

    /// <summary>Signatures other than on certificates and CRLs.</summary>
    DigitalSignature = 1,

    /// <summary>nonRepudiation, also called contentCommitment.</summary>
    NonRepudiation = 1 << 1,

    /// <summary>Encrypting keys; has no place on a CA (RFC 3279 section 2.3.1).</summary>
    KeyEncipherment = 1 << 2,

    /// <summary>Encrypting data.</summary>
    DataEncipherment = 1 << 3,

    /// <summary>Key agreement.</summary>
    KeyAgreement = 1 << 4,

    /// <summary>Signing certificates: every CA needs it.</summary>
    KeyCertSign = 1 << 5,

    /// <summary>Signing CRLs.</summary>
    CrlSign = 1 << 6,

    /// <summary>Only with key agreement.</summary>
    EncipherOnly = 1 << 7,

    /// <summary>Only with key agreement.</summary>
    DecipherOnly = 1 << 8,
}
