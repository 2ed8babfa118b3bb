using System.Text;
using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

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
        return snapshot.Clusters.SelectMany(c => Inspect(c, snapshot));
    }

    /// <summary>The roots that istiod publishes in its own namespace, which are what it runs with; null where it publishes none.</summary>
    internal static IReadOnlyList<CertificateDocument>? Published(ClusterSnapshot cluster, string ns) =>
        cluster.RootConfigMaps.FirstOrDefault(m => m.Namespace == ns) is { } map ? PemDocument.Parse(map.Name, Encoding.UTF8.GetBytes(map.Data.GetValueOrDefault("root-cert.pem", ""))).Certificates : null;

    private IEnumerable<TrustFinding> Inspect(ClusterSnapshot cluster, TrustSnapshot snapshot)
    {
        var ns = snapshot.Topology.Trust.Namespace;
        var live = Published(cluster, ns);
        if (cluster.Bundle is not { } bundle)
        {
            if (cluster.SelfSigned is not null && !cluster.Lacks(SnapshotPart.Cacerts))
            {
                yield return Error(cluster, $"'{cluster.Name}' runs a self-signed CA ({ns}/istio-ca-secret) and has no cacerts.",
                    "Another root breaks mutual TLS for its running workloads. Use its own root for the mesh: save ca-cert.pem and ca-key.pem of istio-ca-secret to files, and name them with --rootca-cert and --rootca-key and a new --certs-dir (docs/existing-clusters.md).");
            }

            yield break;
        }

        var same = live is not null && live.ToHashSet().SetEquals(bundle.Roots);
        if (live is not null && !same) yield return Differs(cluster, bundle.Roots, live, snapshot);

        if (cluster.SelfSigned is not null && (live is null || same))
        {
            yield return Warning(cluster, $"A self-signed {ns}/istio-ca-secret is left over beside cacerts; it misleads tools, and istiod falls back to it if cacerts is ever missing.", "Delete istio-ca-secret once istiod runs with cacerts.");
        }
    }

    /// <summary>
    /// The secret is what istiod takes at its next start; what it publishes is what workloads hold. Which of the two is right, the other clusters and
    /// the trust store say. A restart is never the advice here: it would change the root under running workloads.
    /// </summary>
    private TrustFinding Differs(ClusterSnapshot cluster, IReadOnlyList<CertificateDocument> secret, IReadOnlyList<CertificateDocument> live, TrustSnapshot snapshot)
    {
        var ns = snapshot.Topology.Trust.Namespace;
        var roots = live.ToHashSet();
        var inStore = snapshot.Files?.Find($"{cluster.Name}/root-cert.pem") is { } file && roots.SetEquals(PemDocument.Parse(file.Path, file.Content.Span).Certificates);
        var elsewhere = snapshot.Clusters.Any(c => c != cluster && (Published(c, ns) ?? c.Bundle?.Roots) is { Count: > 0 } held && roots.SetEquals(held));
        var what = $"The secret cacerts of '{cluster.Name}' holds {Describe(secret)}, but istiod there publishes {Describe(live)}, which is what its workloads hold";
        if (roots.Count > 0 && roots.IsSubsetOf(secret))
            return Error(cluster, $"{what}. istiod ignores a changed root unless ISTIO_MULTIROOT_MESH is set; its next restart adds the new root and takes none away.", "Nothing breaks until then. Look for 'Multi root is disabled' in istiod's log.");
        if (roots.Count > 0 && (inStore || elsewhere))
        {
            var who = elsewhere ? "as the other clusters do" : "as the trust store does";
            return Error(cluster, $"{what}, {who}. The mesh works until istiod restarts: then it would switch to the root of the secret.",
                inStore ? "Do not restart istiod. Run PushSecrets: it puts the right secret back." : $"Do not restart istiod. Put the secret with the root {Describe(live)} back first.");
        }

        return Error(cluster, $"{what}. istiod started before the secret came, or ignored the change. Its next restart switches workloads to the root of the secret.",
            "Do not restart istiod while workloads run: mutual TLS between them breaks until all have restarted. Plan it as a change of root (docs/existing-clusters.md).");
    }

    private static string Describe(IReadOnlyList<CertificateDocument> roots) =>
        roots.Count == 0 ? "no certificate" : string.Join(" + ", roots.Take(3).Select(r => $"{r.Sha256[..16]}.. {r.Subject}")) + (roots.Count > 3 ? " + .." : "");
}
