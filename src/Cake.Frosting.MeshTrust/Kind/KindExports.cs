using MeshTrust;
using MeshTrust.Clusters;
using MeshTrust.Topology;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What led to clusters that are gone: the exports of SetContexts, and the contexts that were merged into the user's kubeconfig.</summary>
public sealed class KindExports(RunSpec run, TimeProvider time)
{
    private static readonly string[] Files = ["env.sh", "meshtrust.env", "topology-config.json"];

    /// <summary>Forgets the way to these clusters. Exports that lead to others as well stay, without these contexts in the kubeconfig.</summary>
    /// <exception cref="MeshTrustException">A file cannot be changed.</exception>
    public async Task ForgetAsync(IReadOnlyList<ClusterName> clusters, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        string[] contexts = [.. clusters.Select(KindKubeconfigs.ContextOf)];
        var merge = new KubeconfigMerge(time);
        if (run.MergeKubeconfig is { } user) await merge.TakeOutAsync(user, contexts, cancellationToken).ConfigureAwait(false);

        var merged = Path.Combine(run.KubeconfigDirectory, "merged");
        if (!File.Exists(merged)) return;
        await merge.TakeOutAsync(merged, contexts, cancellationToken).ConfigureAwait(false);
        if (KubeconfigDocument.Load(merged).Contexts.Count > 0) return;
        File.Delete(merged);
        foreach (var file in Files) File.Delete(Path.Combine(run.WorkDirectory, file));
    }
}
