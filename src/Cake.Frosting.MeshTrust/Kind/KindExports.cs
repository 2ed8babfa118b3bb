using MeshTrust;
using MeshTrust.Clusters;
using MeshTrust.Topology;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What leads to clusters: the exports of SetContexts, and the contexts that were merged into kubeconfigs of the user's.</summary>
public sealed class KindExports(RunSpec run, TimeProvider time)
{
    private static readonly string[] Files = ["env.sh", "meshtrust.env", "topology-config.json"];

    private readonly KindStates _states = new(run.WorkDirectory);
    private readonly KubeconfigMerge _merge = new(time);
    private readonly List<string> _removed = [];
    private readonly List<string> _left = [];
    private readonly List<string> _failed = [];

    /// <summary>Brings the contexts of clusters into a kubeconfig of the user's, and remembers those of clusters that were made here: they go with the clusters.</summary>
    /// <param name="file">The kubeconfig.</param>
    /// <param name="clusters">The clusters.</param>
    /// <param name="cancellationToken">Ends the wait for the file's lock.</param>
    /// <returns>Whether the file changed.</returns>
    /// <exception cref="MeshTrustException">A kubeconfig does not do, or cannot be changed.</exception>
    public Task<bool> BringAsync(string file, IReadOnlyList<ClusterAccess> clusters, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        var contexts = KubeconfigMerge.ContextsOf(clusters);
        var ours = _states.Clusters();
        // Before the file is changed: what is remembered and not there does no harm, the other way round does.
        _states.WriteMerged(_states.ReadMerged().With([.. from cluster in clusters where ours.Contains(cluster.Name) select new MergedContext(file, cluster.ContextName, cluster.Name.Value, contexts.Describe(cluster.ContextName).Endpoint)]));
        return _merge.BringAsync(file, contexts, run.SetCurrent ? clusters[0].ContextName : null, cancellationToken);
    }

    /// <summary>
    /// Forgets the way to these clusters, and to those of which there is no state any more. Exports that lead to others as well stay, without these
    /// contexts in the kubeconfig.
    /// </summary>
    /// <returns>What was taken out of the user's own files, what was left there, and what could not be changed.</returns>
    /// <exception cref="MeshTrustException">A file of the work directory cannot be changed.</exception>
    public async Task<KindCleaningReport> ForgetAsync(IReadOnlyList<ClusterName> clusters, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        string[] contexts = [.. clusters.Select(KindKubeconfigs.ContextOf)];
        await TakeOutMergedAsync(cancellationToken).ConfigureAwait(false);
        if (run.MergeKubeconfig is { } user && contexts.Length > 0) await _merge.TakeOutAsync(user, contexts, cancellationToken).ConfigureAwait(false);

        var merged = Path.Combine(run.KubeconfigDirectory, "merged");
        if (contexts.Length > 0 && File.Exists(merged))
        {
            await _merge.TakeOutAsync(merged, contexts, cancellationToken).ConfigureAwait(false);
            if (KubeconfigDocument.Load(merged).Contexts.Count == 0)
            {
                File.Delete(merged);
                foreach (var file in Files) File.Delete(Path.Combine(run.WorkDirectory, file));
            }
        }

        return new KindCleaningReport(_removed, _left, _failed);
    }

    private async Task TakeOutMergedAsync(CancellationToken cancellationToken)
    {
        var all = _states.ReadMerged();
        var there = _states.Clusters().Select(cluster => cluster.Value).ToHashSet();
        foreach (var file in all.Contexts.Where(context => !there.Contains(context.Cluster)).GroupBy(context => context.File, StringComparer.Ordinal))
        {
            try
            {
                List<string> taken = [];
                List<string> others = [];
                await _merge.TakeOutAsync(file.Key, document =>
                {
                    (taken, others) = Split(document, [.. file]);
                    return taken;
                }, cancellationToken).ConfigureAwait(false);
                if (taken.Count > 0) _removed.Add($"{string.Join(", ", taken)} from {file.Key}.");
                if (others.Count > 0) _left.Add($"{string.Join(", ", others)} in {file.Key}: {(others.Count == 1 ? "it leads" : "they lead")} elsewhere than when MeshTrust merged {(others.Count == 1 ? "it" : "them")}.");
                all = all.Without([.. file]);
            }
            catch (MeshTrustException e)
            {
                // Remembered for the next try.
                _failed.Add($"{string.Join(", ", file.Select(context => context.Context))} from {file.Key}: {e.Problems[0]}");
            }
        }

        _states.WriteMerged(all);
    }

    /// <summary>Those of the contexts that still lead to what they led to, and those that lead elsewhere by now. One that is not there is neither.</summary>
    private static (List<string> Same, List<string> Others) Split(KubeconfigDocument document, IReadOnlyList<MergedContext> contexts)
    {
        var there = contexts.Where(context => document.Contexts.Contains(context.Context)).ToLookup(IsSame, context => context.Context);
        return ([.. there[true]], [.. there[false]]);

        bool IsSame(MergedContext context)
        {
            try
            {
                return document.Describe(context.Context).Endpoint == context.Endpoint;
            }
            catch (MeshTrustException)
            {
                return false;
            }
        }
    }
}
