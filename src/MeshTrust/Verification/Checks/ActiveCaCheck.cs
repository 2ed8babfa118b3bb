using System.Text;
using MeshTrust.Pki;

namespace MeshTrust.Verification.Checks;

/// <summary>MT5013: the CA that istiod runs with is the one in the secret. It also answers whether live roots fit the secret (with MT5021).</summary>
public sealed class ActiveCaCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5013";

    /// <inheritdoc/>
    public override string Title => "istiod hands out the root of the secret";

    /// <inheritdoc/>
    public override string Citation => "istio pilot/pkg/bootstrap/istio_ca.go (selection at start-up); istio/istio#57853, #53961, #36723";

    /// <inheritdoc/>
    public override IReadOnlyList<SnapshotPart> Needs => [SnapshotPart.Cacerts, SnapshotPart.SelfSigned, SnapshotPart.RootConfigMaps];

    /// <inheritdoc/>
    public override string? NotApplicable(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Clusters.Any(c => c.SelfSigned is not null || c.RootConfigMaps.Count > 0) ? null : "istiod has run in no cluster yet: no istio-ca-root-cert, no istio-ca-secret";
    }

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Clusters.SelectMany(c => Inspect(c, snapshot.Topology.Trust.Namespace));
    }

    private IEnumerable<TrustFinding> Inspect(ClusterSnapshot cluster, string ns)
    {
        var map = cluster.RootConfigMaps.FirstOrDefault(m => m.Namespace == ns);
        var live = map is null ? [] : PemDocument.Parse(map.Name, Encoding.UTF8.GetBytes(map.Data.GetValueOrDefault("root-cert.pem", ""))).Certificates;
        if (cluster.Bundle is not { } bundle)
        {
            if (cluster.SelfSigned is not null && !cluster.Lacks(SnapshotPart.Cacerts))
            {
                yield return Error(cluster, $"'{cluster.Name}' runs a self-signed CA ({ns}/istio-ca-secret) and has no cacerts.", "Push cacerts, then restart istiod: this changes the root under running workloads, so plan it as a rotation.");
            }

            yield break;
        }

        var same = live.ToHashSet().SetEquals(bundle.Roots);
        if (map is not null && !same)
        {
            yield return live.Intersect(bundle.Roots).Any()
                ? Error(cluster, $"istiod in '{cluster.Name}' hands out other roots ({Describe(live)}) than cacerts holds ({Describe(bundle.Roots)}); it ignores a changed root unless ISTIO_MULTIROOT_MESH is set.", "Look for 'Multi root is disabled' in istiod's log; restart istiod once all workloads trust both roots.")
                : Error(cluster, $"'{cluster.Name}' runs another CA (istio-ca-root-cert: {Describe(live)}) although cacerts exists ({Describe(bundle.Roots)}); the secret was probably created after istiod started.", "Restart istiod; this changes the root under running workloads, so rotate through a bundle of both roots.");
        }

        if (cluster.SelfSigned is not null && (map is null || same))
        {
            yield return Warning(cluster, $"A self-signed {ns}/istio-ca-secret is left over beside cacerts; it misleads tools, and istiod falls back to it if cacerts is ever missing.", "Delete istio-ca-secret once istiod runs with cacerts.");
        }
    }

    private static string Describe(IReadOnlyList<CertificateDocument> roots) =>
        roots.Count == 0 ? "no certificate" : string.Join(" + ", roots.Take(3).Select(r => $"{r.Sha256[..16]}.. {r.Subject}")) + (roots.Count > 3 ? " + .." : "");
}
