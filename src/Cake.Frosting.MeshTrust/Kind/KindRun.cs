using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Kubeconfig;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What all parts of one run on kind clusters share: the engine, kind, how API servers are reached and who watches.</summary>
public sealed record KindRun
{
    /// <summary>The container engine that answers.</summary>
    public required IContainerEngine Engine { get; init; }

    /// <summary>kind itself.</summary>
    public required KindTool Kind { get; init; }

    /// <summary>Reads what the engine and the machine hold.</summary>
    public required Func<CancellationToken, Task<EngineSnapshot>> ReadAsync { get; init; }

    /// <summary>Opens the way to an API server.</summary>
    public required Func<ClusterAccess, IClusterApi> Connect { get; init; }

    /// <summary>Gives the clusters their load balancers; null for none.</summary>
    public LoadBalancerSetup? LoadBalancers { get; init; }

    /// <summary>What the user wants of the run; paths are absolute.</summary>
    public required RunSpec Run { get; init; }

    /// <summary>Gets the steps of each cluster.</summary>
    public required IProgress<ClusterProgress> Progress { get; init; }

    /// <summary>Gets what does not stop the run.</summary>
    public Action<Problem> Warn { get; init; } = _ => { };

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where this run's state of kind clusters lies.</summary>
    public KindStates States => new(Run.WorkDirectory);

    /// <summary>Where the kubeconfigs lie.</summary>
    public KindKubeconfigs Kubeconfigs => new(Run.KubeconfigDirectory);

    /// <summary>Tells a step of a cluster.</summary>
    public void Tell(ClusterName cluster, string step, ClusterProgressState state = ClusterProgressState.Working) => Progress.Report(new ClusterProgress(cluster, step, state));
}
