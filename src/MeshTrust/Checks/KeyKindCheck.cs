using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5007: the CA key is plain, in a block that istiod reads, and of a kind that every peer takes.</summary>
public sealed class KeyKindCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5007";

    /// <inheritdoc/>
    public override string Title => "keys are plain and RSA of at least 2048 bits, P-256 or P-384";

    /// <inheritdoc/>
    public override string Citation => "istio security/pkg/pki/util/crypto.go and generate_cert.go; NIST SP 800-57 part 1; istio/istio#14173, istio/istio pull 8850";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        foreach (var cluster in snapshot.Clusters)
        {
            if (cluster.Bundle is not { } bundle) continue;
            if (bundle.Has(bundle.KeyName) && !PrivateKeyPem.TryParse(bundle.KeyName, bundle.KeyBytes, out _, out var reason))
            {
                yield return Error(cluster, $"{cluster.Name}/{bundle.KeyName}: {reason}", "Write it as plain PKCS#8: istiod needs PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY as the first block.");
            }

            foreach (var (certificate, file) in bundle.All.Where(c => !IsTaken(c.Certificate)))
            {
                yield return Error(cluster, $"'{certificate.Subject}' in {file} has a {certificate.PublicKey} key, which not every peer takes.", "Use RSA of 2048, 3072 or 4096 bits, P-256 or P-384.");
            }
        }
    }

    private static bool IsTaken(CertificateDocument certificate) =>
        certificate.KeyAlgorithm is not null || certificate is { PublicKeyAlgorithm: "RSA", PublicKeyBits: >= 2048 };
}
