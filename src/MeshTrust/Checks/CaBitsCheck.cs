using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5008: every certificate of a CA says that it is one and may sign certificates.</summary>
public sealed class CaBitsCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5008";

    /// <inheritdoc/>
    public override string Title => "every CA says so: basic constraints and keyCertSign";

    /// <inheritdoc/>
    public override string Citation => "RFC 5280 sections 4.2.1.3 and 4.2.1.9; istio security/pkg/pki/ca/ca.go (IsCA); istio/istio#27800";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return from cluster in snapshot.Clusters
               where cluster.Bundle is not null
               from entry in cluster.Bundle!.All
               from finding in Inspect(cluster, entry.Certificate, entry.File)
               select finding;
    }

    private IEnumerable<TrustFinding> Inspect(ClusterSnapshot cluster, CertificateDocument certificate, string file)
    {
        var name = $"'{certificate.Subject}' in {file}";
        if (!certificate.IsCa)
        {
            yield return Error(
                cluster,
                $"{name} {(certificate.HasBasicConstraints ? "says CA:FALSE" : "has no basic constraints")}: 'certificate is not authorized to sign other certificates'.",
                "Issue it as a CA (basicConstraints critical, CA:TRUE); an end-entity certificate cannot stand here.");
        }
        else if (!certificate.BasicConstraintsCritical)
        {
            yield return Warning(cluster, $"{name} has basic constraints that are not critical.", "Issue it anew with critical basic constraints.");
        }

        if (certificate.KeyUsage is null)
        {
            yield return Warning(cluster, $"{name} has no key usage: peers take that as no limit, RFC 5280 wants keyCertSign.", "Issue it anew with keyCertSign and cRLSign.");
        }
        else if (!certificate.KeyUsage.Value.HasFlag(CertificateKeyUsage.KeyCertSign))
        {
            yield return Error(cluster, $"{name} lacks keyCertSign; istiod may start with it, but peers reject what it signed.", "Issue it anew with keyCertSign and cRLSign.");
        }
    }
}
