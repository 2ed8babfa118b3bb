using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5003: the CA key belongs to the CA certificate.</summary>
public sealed class KeyMatchCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5003";

    /// <inheritdoc/>
    public override string Title => "the CA key belongs to the CA certificate";

    /// <inheritdoc/>
    public override string Citation => "istio security/pkg/pki/util/keycertbundle.go, Verify (tls.X509KeyPair)";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        foreach (var cluster in snapshot.Clusters)
        {
            if (cluster.Bundle is not { Ca: { } ca } bundle) continue;
            // A key that cannot be read is told by MT5007.
            if (!PrivateKeyPem.TryParse(bundle.KeyName, bundle.KeyBytes, out var key, out _) || key.Matches(ca)) continue;
            yield return Error(
                cluster,
                $"{cluster.Name}/{bundle.KeyName} does not belong to {bundle.CaCert.Name} (cert SKI {ca.SubjectKeyId ?? "none"}, key SKI {key.KeyId}): istiod says 'the cert does not match the key'.",
                "Put the key and the certificate of one issue into the secret together.");
        }
    }
}
