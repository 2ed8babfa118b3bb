using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>A workload certificate for Verify, issued with a cluster's CA key: valid for an hour, never written to disk.</summary>
internal sealed class ProbeLeaf
{
    private readonly PrivateKeyPem _key;

    private ProbeLeaf(CertificateDocument certificate, PrivateKeyPem key) => (Certificate, _key) = (certificate, key);

    public CertificateDocument Certificate { get; }

    /// <summary>
    /// Issues a leaf with any CA certificate and key that parse, however unusual: Verify tests whether peers accept it. The
    /// names are the SPIFFE id of a workload, or the DNS names of istiod.
    /// </summary>
    public static ProbeLeaf Issue(CertificateDocument ca, PrivateKeyPem key, IReadOnlyList<string> names, TimeProvider time)
    {
        var leafKey = KeyGeneration.Generate(KeyAlgorithm.EcdsaP256);
        var profile = CertificateProfile.ForWorkload(names, TimeSpan.FromHours(1));
        var issued = new CertificateIssuer(time).IssueUnclamped(profile, leafKey.SubjectPublicKeyInfo, ca, key);
        return new ProbeLeaf(issued, leafKey);
    }

    /// <summary>The certificate with its key, for SslStream. The caller disposes it.</summary>
    public X509Certificate2 ToCertificateWithKey()
    {
        using var certificate = X509CertificateLoader.LoadCertificate(Certificate.Der.Span);
        using var key = (ECDsa)_key.Open();
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>The SPIFFE id and the issuer; never the key.</summary>
    public override string ToString() =>
        $"probe leaf {string.Join(", ", Certificate.Uris.Concat(Certificate.DnsNames))} issued by {Certificate.Issuer}";
}
