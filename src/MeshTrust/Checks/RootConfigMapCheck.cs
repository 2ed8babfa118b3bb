using System.Text;
using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5014: every namespace carries the roots of the secret.</summary>
public sealed class RootConfigMapCheck : TrustCheck
{
    // istio pkg/kube/inject/initializer.go: istiod writes no roots there.
    private static readonly HashSet<string> Ignored = ["kube-public", "kube-node-lease", "local-path-storage"];

    /// <inheritdoc/>
    public override string Id => "MT5014";

    /// <inheritdoc/>
    public override string Title => "every namespace carries the roots of the secret";

    /// <inheritdoc/>
    public override string Citation => "istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go; pkg/kube/inject/initializer.go; istio/istio#36723";

    /// <inheritdoc/>
    public override IReadOnlyList<SnapshotPart> Needs => [SnapshotPart.Cacerts, SnapshotPart.RootConfigMaps, SnapshotPart.Namespaces];

    /// <inheritdoc/>
    public override string? NotApplicable(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Clusters.Any(c => c.RootConfigMaps.Count > 0) ? base.NotApplicable(snapshot) : "istiod has run in no cluster yet: no istio-ca-root-cert";
    }

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Clusters.Where(c => c.Bundle is not null && c.RootConfigMaps.Count > 0).SelectMany(c => Inspect(c, snapshot.Topology.Trust.Namespace));
    }

    private IEnumerable<TrustFinding> Inspect(ClusterSnapshot cluster, string istioNamespace)
    {
        // What istiod publishes in its own namespace is what it wants everywhere; whether that fits the secret is MT5013's.
        var published = ActiveCaCheck.Published(cluster, istioNamespace);
        var roots = (published ?? cluster.Bundle!.Roots).ToHashSet();
        // Hundreds of namespaces hold the same text: each distinct text is read once.
        var read = new Dictionary<string, bool>(StringComparer.Ordinal);
        var old = new List<string>();
        var held = new HashSet<string>();
        foreach (var map in cluster.RootConfigMaps)
        {
            held.Add(map.Namespace);
            // The namespace of istiod itself is judged by MT5013.
            if (Ignored.Contains(map.Namespace) || map.Namespace == istioNamespace) continue;
            var text = map.Data.GetValueOrDefault("root-cert.pem", "");
            if (!read.TryGetValue(text, out var same)) read[text] = same = roots.SetEquals(PemDocument.Parse(map.Name, Encoding.UTF8.GetBytes(text)).Certificates);
            if (!same) old.Add(map.Namespace);
        }

        if (old.Count > 0)
        {
            yield return Error(cluster, $"{(old.Count == 1 ? "1 namespace" : $"{old.Count} namespaces")} in '{cluster.Name}' still {(old.Count == 1 ? "carries" : "carry")} other roots than {(published is null ? "cacerts" : "istiod publishes")}: {Names(old)}.", "See whether istiod runs and may write ConfigMaps there; new workloads in them start with those other roots.");
        }

        var bare = cluster.Namespaces.Where(n => !n.Terminating && !Ignored.Contains(n.Name) && !held.Contains(n.Name)).Select(n => n.Name).ToList();
        if (bare.Count > 0)
        {
            yield return Warning(cluster, $"No istio-ca-root-cert in {Names(bare)} of '{cluster.Name}'.", "Fine where discoverySelectors leave the namespace out; else see whether istiod runs.");
        }
    }

    private static string Names(List<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal).Take(8)) + (names.Count > 8 ? $" and {names.Count - 8} more" : "");
}
