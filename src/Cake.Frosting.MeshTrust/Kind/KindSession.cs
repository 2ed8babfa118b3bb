using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What all parts of one run on kind clusters share: the engine, kind, how API servers are reached and who watches.</summary>
internal sealed record KindSession
{
    public required IContainerEngine Engine { get; init; }
    public required KindTool Kind { get; init; }
    public required Func<CancellationToken, Task<EngineSnapshot>> ReadAsync { get; init; }
    public required Func<ClusterAccess, IClusterApi> Connect { get; init; }
    public LoadBalancerSetup? LoadBalancers { get; init; }
    public required RunSpec Run { get; init; }
    public KindPlanner Planner { get; init; } = new();
    public required IProgress<ClusterProgress> Progress { get; init; }
    public Action<Problem> Warn { get; init; } = _ => { };
    public TimeProvider Time { get; init; } = TimeProvider.System;
    public KindStates States => new(Run.WorkDirectory);
    public KindKubeconfigs Kubeconfigs => new(Run.KubeconfigDirectory);

    public void Tell(ClusterName cluster, string step, ClusterProgressState state = ClusterProgressState.Working) =>
        Progress.Report(new ClusterProgress(cluster, step, state));

    public async Task<KindPlanSet> PlanAsync(MeshTopology topology, CancellationToken cancellationToken) =>
        await PlanAsync(topology, await ReadAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    public Task<KindPlanSet> PlanAsync(MeshTopology topology, EngineSnapshot snapshot, CancellationToken cancellationToken) =>
        Planner.PlanAsync(topology, Run, Engine, snapshot, cancellationToken);

    /// <summary>Removes the nodes alone; what was written stays.</summary>
    public Task RemoveNodesAsync(ClusterName cluster, CancellationToken cancellationToken) =>
        // kind takes the context out of the file that it is given: never one of ours that others read, never the user's.
        Kind.DeleteAsync(cluster.Value, States.KindKubeconfigOf(cluster), cancellationToken);

    /// <summary>Removes the nodes, the kubeconfigs, the state and the addresses.</summary>
    public async Task RemoveAsync(ClusterName cluster, CancellationToken cancellationToken)
    {
        await RemoveNodesAsync(cluster, cancellationToken).ConfigureAwait(false);
        Forget(cluster);
    }

    /// <summary>Removes what was written for a cluster that has no nodes.</summary>
    public void Forget(ClusterName cluster)
    {
        Kubeconfigs.Remove(cluster);
        States.Remove(cluster);
    }
}
