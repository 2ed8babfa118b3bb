using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Takes a cluster away that is ours: its nodes, and what was written for it.</summary>
public sealed class KindRemoval(KindRun run)
{
    /// <summary>Removes the nodes alone; what was written stays.</summary>
    public Task RemoveNodesAsync(ClusterName cluster, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        // kind takes the context out of the file that it is given: never one of ours that others read, never the user's.
        return run.Kind.DeleteAsync(cluster.Value, Path.Combine(run.States.DirectoryOf(cluster), KindCreation.KubeconfigFile), cancellationToken);
    }

    /// <summary>Removes the nodes, the kubeconfigs, the state and the addresses.</summary>
    public async Task RemoveAsync(ClusterName cluster, CancellationToken cancellationToken)
    {
        await RemoveNodesAsync(cluster, cancellationToken).ConfigureAwait(false);
        run.Kubeconfigs.Remove(cluster);
        run.States.Remove(cluster);
    }
}
