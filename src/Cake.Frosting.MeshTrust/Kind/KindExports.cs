using MeshTrust;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What leads to clusters: the exports of SetContexts, and the contexts that were merged into kubeconfigs of the user's.</summary>
public sealed class KindExports(RunSpec run, TimeProvider time)
{
    private static readonly string[] Files = ["env.sh", "meshtrust.env", "topology-config.json"];

    private readonly KindStates _states = new(run.WorkDirectory);
    private readonly UserKubeconfig _kubeconfig = new(time);
    private readonly List<string> _removed = [];
    private readonly List<string> _left = [];
    private readonly List<string> _failed = [];

    /// <summary>Refuses what <see cref="BringAsync"/> would refuse, before anything is written.</summary>
    /// <exception cref="MeshTrustException">MT0220: an entry of the file leads elsewhere; or a kubeconfig does not do.</exception>
    public void Check(string file, IReadOnlyList<ClusterAccess> clusters)
    {
        // The exports of an earlier run, where KUBECONFIG leads to them: they are about to be written as a whole.
        if (Path.GetDirectoryName(file) == run.KubeconfigDirectory) return;
        var contexts = UserKubeconfig.ContextsOf(clusters);
        UserKubeconfig.Check(file, contexts, Wanted(file, clusters, contexts), Known(file));
    }

    /// <summary>Brings the contexts of clusters into a kubeconfig of the user's, and remembers what that added: those of clusters that were made here go with the clusters.</summary>
    /// <param name="file">The kubeconfig.</param>
    /// <param name="clusters">The clusters.</param>
    /// <param name="cancellationToken">Ends the wait for the file's lock.</param>
    /// <returns>Whether the file changed.</returns>
    /// <exception cref="MeshTrustException">As <see cref="Check"/>, or the kubeconfig cannot be changed.</exception>
    public Task<bool> BringAsync(string file, IReadOnlyList<ClusterAccess> clusters, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        var contexts = UserKubeconfig.ContextsOf(clusters);
        var wanted = Wanted(file, clusters, contexts);
        return _kubeconfig.MergeAsync(
            file, contexts, wanted, Known(file), run.SetCurrent ? clusters[0].ContextName : null,
            added => _states.WriteMerged(_states.ReadMerged().Without(wanted).With(added)), cancellationToken);
    }

    private List<MergedContext> Wanted(string file, IReadOnlyList<ClusterAccess> clusters, KubeconfigDocument contexts)
    {
        var ours = _states.Clusters();
        return [.. clusters.Select(c => new MergedContext(file, c.ContextName, c.Name.Value, contexts.Resolve(c.ContextName).Endpoint) { Stays = !ours.Contains(c.Name) })];
    }

    private List<MergedContext> Known(string file) => [.. _states.ReadMerged().Contexts.Where(c => c.File == file)];

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

        var merged = Path.Combine(run.KubeconfigDirectory, "merged");
        if (contexts.Length > 0 && File.Exists(merged))
        {
            await _kubeconfig.RemoveAsync(merged, contexts, cancellationToken).ConfigureAwait(false);
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
        foreach (var file in all.Contexts.Where(context => !context.Stays && !there.Contains(context.Cluster)).GroupBy(context => context.File, StringComparer.Ordinal))
        {
            try
            {
                var (taken, others) = await _kubeconfig.RemoveAsync(file.Key, [.. file], cancellationToken).ConfigureAwait(false);
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
}
