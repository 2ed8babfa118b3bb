using MeshTrust.Pki;

namespace MeshTrust.Verification.Checks;

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
        var holders = snapshot.Clusters.Where(c => c.Bundle?.Roots.Count > 0).ToList();
        if (holders.Count == 0) yield break;
        // What most clusters trust is taken as right; between equals, what the first of the topology trusts.
        var reference = holders.GroupBy(SetOf).OrderByDescending(g => g.Count()).ThenBy(g => holders.IndexOf(g.First())).First().First();
        foreach (var cluster in holders.Where(c => SetOf(c) != SetOf(reference)))
        {
            var live = ActiveCaCheck.Published(cluster, snapshot.Topology.Trust.Namespace);
            if (live is { Count: > 0 } && live.ToHashSet().SetEquals(reference.Bundle!.Roots))
            {
                yield return Error(cluster, $"The secret of '{cluster.Name}' holds root {Describe(cluster.Bundle!.Roots)}, but its workloads and '{reference.Name}' trust {Describe(live)}; mutual TLS fails as soon as istiod in '{cluster.Name}' restarts.", "Do not restart istiod; put the right secret back (see MT5013).");
                continue;
            }

            var what = $"Cluster '{cluster.Name}' trusts root {Describe(cluster.Bundle!.Roots)} but '{reference.Name}' trusts {Describe(reference.Bundle!.Roots)}";
            if (cluster.Bundle.Roots.Intersect(reference.Bundle.Roots).Any())
            {
                yield return Warning(cluster, $"{what}; they have a root in common, so a rotation of the root is half done.", "Bring the same root-cert.pem to every cluster.");
            }
            else
            {
                yield return Error(cluster, $"{what}; mutual TLS between them will fail with CERTIFICATE_VERIFY_FAILED.", $"Issue the intermediate of '{cluster.Name}' from the same root, or rotate the root through a bundle of both.");
            }
        }
    }

    private static string SetOf(ClusterSnapshot cluster) => string.Concat(cluster.Bundle!.Roots.Select(r => r.Sha256).Distinct().Order(StringComparer.Ordinal));

    private static string Describe(IReadOnlyList<CertificateDocument> roots) => string.Join(" + ", roots.Distinct().Select(r => $"{r.Sha256[..16]}.. ({r.Subject})"));
}
