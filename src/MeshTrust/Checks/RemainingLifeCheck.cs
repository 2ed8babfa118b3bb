using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5012: there is time enough left to rotate.</summary>
public sealed class RemainingLifeCheck : TrustCheck
{
    // Twice istiod's default for MAX_WORKLOAD_CERT_TTL, 90 days: the old intermediate must outlive what it signed last.
    private static readonly TimeSpan Intermediate = TimeSpan.FromDays(180);
    private static readonly TimeSpan Root = TimeSpan.FromDays(365);

    /// <inheritdoc/>
    public override string Id => "MT5012";

    /// <inheritdoc/>
    public override string Title => "intermediates have 180 days left, roots a year";

    /// <inheritdoc/>
    public override string Citation => "istio pilot/pkg/bootstrap/istio_ca.go (MAX_WORKLOAD_CERT_TTL, 90 days); istio/istio#18990, #52889";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        foreach (var cluster in snapshot.Clusters)
        {
            if (cluster.Bundle is not { } bundle) continue;
            foreach (var ca in bundle.Path.Where(c => !bundle.Roots.Contains(c) && snapshot.At <= c.NotAfter))
            {
                var due = snapshot.Topology.Trust.RenewBefore.IsDue(ca.NotBefore, ca.NotAfter, snapshot.At);
                if (ca.NotAfter - snapshot.At >= Intermediate && !due) continue;
                var limit = ca.NotAfter - snapshot.At < Intermediate ? $"{Intermediate.TotalDays:0} d, twice the longest workload lifetime" : $"{snapshot.Topology.Trust.RenewBefore}, as --renew-before says";
                yield return Warning(cluster, $"Intermediate '{ca.Subject}' has {Days(ca, snapshot.At)} d left (less than {limit}).", "Run ClusterCacerts with --renew-before and PushSecrets: the root stays, so the swap is hot.");
            }

            foreach (var root in bundle.Roots.Distinct().Where(r => snapshot.At <= r.NotAfter && r.NotAfter - snapshot.At < Root))
            {
                yield return Warning(cluster, $"Root '{root.Subject}' has {Days(root, snapshot.At)} d left (less than a year).", "Plan the rotation of the root now: it takes several phases.");
            }
        }
    }

    private static int Days(CertificateDocument certificate, DateTimeOffset at) => (int)(certificate.NotAfter - at).TotalDays;
}
