using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5004: the chain starts with the CA certificate, is in order and reaches a root.</summary>
public sealed class ChainOrderCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5004";

    /// <inheritdoc/>
    public override string Title => "the chain starts with the CA certificate, is in order and reaches the root";

    /// <inheritdoc/>
    public override string Citation => "istio security/pkg/server/ca/server.go (workloads are sent cert-chain.pem as it is); RFC 8446 section 4.4.2; istio/istio#22530";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Clusters.Where(c => c.Bundle is not null).SelectMany(c => Inspect(c, c.Bundle!));
    }

    private IEnumerable<TrustFinding> Inspect(ClusterSnapshot cluster, SigningBundle bundle)
    {
        if (bundle.Ca is not { } ca) yield break;
        var (chain, name) = (bundle.Chain, bundle.CertChain.Name);
        if (chain.Count == 0)
        {
            yield return Error(cluster, $"{name} holds no certificate. istiod accepts this, workloads will not: they are sent no intermediate.", "Put the CA certificate first into cert-chain.pem, then its issuers.");
        }
        else if (!chain.Contains(ca))
        {
            yield return Error(cluster, $"{name} does not start with {bundle.CaCert.Name} (found '{chain[0].Subject}'). istiod accepts this, workloads will not.", $"Put '{ca.Subject}' first into cert-chain.pem; this one may belong to another cluster.");
        }
        else if (!chain[0].Equals(ca))
        {
            yield return Warning(cluster, $"{name} holds {bundle.CaCert.Name}, but starts with '{chain[0].Subject}': istiod's expiry metric and its limit on lifetimes then read the wrong certificate.", "Put the CA certificate first, each issuer after what it signed.");
        }
        else
        {
            for (var i = 0; i + 1 < chain.Count; i++)
            {
                if (chain[i].RawIssuer.Span.SequenceEqual(chain[i + 1].RawSubject.Span) && chain[i].IsSignedBy(chain[i + 1])) continue;
                yield return Warning(cluster, $"{name} is not in order: certificate {i + 2} ('{chain[i + 1].Subject}') did not issue certificate {i + 1} ('{chain[i].Subject}').", "Put each issuer right after what it signed, and leave out the rest.");
                break;
            }
        }

        if (bundle.ReachesRoot || bundle.Roots.Count == 0) yield break;
        var last = bundle.Path[^1];
        yield return Error(
            cluster,
            $"The chain of '{ca.Subject}' ends at '{last.Subject}' and reaches no root of {bundle.RootCert.Name}{(last.IsSelfIssued ? "" : $": the issuer '{last.Issuer}' is missing, or its key is another")}. istiod refuses to start with it.",
            "Issue the intermediate from this root, or bring the root that issued it.");
    }
}
