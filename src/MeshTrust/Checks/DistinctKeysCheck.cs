using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5017: every cluster has a CA key of its own, and none has the root's.</summary>
public sealed class DistinctKeysCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5017";

    /// <inheritdoc/>
    public override string Title => "every cluster has its own CA key, none holds the root's";

    /// <inheritdoc/>
    public override string Citation => "istio.io, Plug in CA Certificates (an intermediate for each cluster, the root offline); istio/istio#30103";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var holders = snapshot.Clusters.Where(c => c.Bundle?.Ca is not null).ToList();
        foreach (var group in holders.GroupBy(c => Convert.ToHexString(c.Bundle!.Ca!.SubjectPublicKeyInfo.Span)).Where(g => g.Count() > 1))
        {
            var names = group.Select(c => $"'{c.Name}'").ToList();
            foreach (var cluster in group.Skip(1))
            {
                yield return Error(cluster, $"{(names.Count <= 6 ? string.Join(" and ", names) : $"{names.Count} clusters, '{cluster.Name}' among them,")} share the same CA key; compromise of one is compromise of all.", "Issue an intermediate of its own for each cluster (ClusterCacerts).");
            }
        }

        foreach (var cluster in holders)
        {
            var bundle = cluster.Bundle!;
            // istiod's own self-signed CA is of this kind too, and works: a warning, however dear it may become.
            if (bundle.Roots.Any(r => r.SubjectPublicKeyInfo.Span.SequenceEqual(bundle.Ca!.SubjectPublicKeyInfo.Span)))
            {
                yield return Warning(cluster, $"'{cluster.Name}' holds the root key itself: who reads this secret can be every cluster of the mesh.", "Give the cluster an intermediate, and keep the root key offline.");
            }

            foreach (var name in bundle.DataKeys.Where(n => n != bundle.KeyName && HoldsKeyOf(bundle, n)))
            {
                yield return Error(cluster, $"The secret of '{cluster.Name}' carries the root's private key in '{name}'.", "Take it out of the secret, and think of the root as known: rotate it.");
            }
        }
    }

    private static bool HoldsKeyOf(SigningBundle bundle, string name) =>
        PrivateKeyPem.TryParse(name, bundle.Bytes(name), out var key, out _) && bundle.Roots.Any(key.Matches);
}
