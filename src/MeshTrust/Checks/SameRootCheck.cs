using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5001: every cluster trusts the same roots.</summary>
public sealed class SameRootCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5001";

    /// <inheritdoc/>
    public override string Title => "every cluster trusts the same root";

    /// <inheritdoc/>
    public override string Citation => "istio security/pkg/server/ca/server.go (the whole root-cert.pem goes to every workload); istio/istio#39987, #37096";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var ns = snapshot.Topology.Trust.Namespace;
        // What istiod publishes is what workloads hold; before istiod has run, what the secret will bring.
        var holders = snapshot.Clusters.Where(c => c.Bundle?.Roots.Count > 0).Select(c => (Cluster: c, Roots: ActiveCaCheck.Published(c, ns) is { Count: > 0 } live ? live : c.Bundle!.Roots)).ToList();
        if (holders.Count == 0) yield break;
        // What most clusters trust is taken as right; between equals, what the first of the topology trusts.
        var reference = holders.GroupBy(h => SetOf(h.Roots)).OrderByDescending(g => g.Count()).ThenBy(g => holders.IndexOf(g.First())).First().First();
        foreach (var (cluster, roots) in holders.Where(h => SetOf(h.Roots) != SetOf(reference.Roots)))
        {
            var what = $"Cluster '{cluster.Name}' trusts root {Describe(roots)} but '{reference.Cluster.Name}' trusts {Describe(reference.Roots)}";
            if (roots.Intersect(reference.Roots).Any())
            {
                yield return Warning(cluster, $"{what}; they have a root in common, so a rotation of the root is half done.", "Bring the same root-cert.pem to every cluster.");
            }
            else
            {
                var fits = SetOf(cluster.Bundle!.Roots) == SetOf(reference.Roots);
                yield return Error(cluster, $"{what}; mutual TLS between them will fail with CERTIFICATE_VERIFY_FAILED.",
                    fits ? $"The secret of '{cluster.Name}' holds the common root already, and its istiod does not use it yet: see MT5013." : $"Issue the intermediate of '{cluster.Name}' from the same root, or rotate the root through a bundle of both.");
            }
        }
    }

    private static string SetOf(IReadOnlyList<CertificateDocument> roots) => string.Concat(roots.Select(r => r.Sha256).Distinct().Order(StringComparer.Ordinal));

    private static string Describe(IReadOnlyList<CertificateDocument> roots) => string.Join(" + ", roots.Distinct().Select(r => $"{r.Sha256[..16]}.. ({r.Subject})"));
}
