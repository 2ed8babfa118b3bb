using Cake.Core;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Finds kind and a container engine on this machine, and gives access to them.</summary>
internal sealed class KindAccess(ToolHost host, EngineSearch engines, EngineSnapshotReader snapshots)
{
    /// <summary>How long an engine may take to answer if it was not requested: a machine without one must not delay every run.</summary>
    private static readonly TimeSpan LimitOfAuto = TimeSpan.FromSeconds(5);

    /// <summary>A new API server comes up while it is queried: repeated short attempts notice it sooner than a long one.</summary>
    private static readonly ClusterApiSettings ShortTimeout = ClusterApiSettings.Default with
    {
        Deadline = TimeSpan.FromSeconds(6),
        AttemptTimeout = TimeSpan.FromSeconds(3),
    };

    internal KindPlanner Planner { get; } = new();

    /// <summary>Whether kind clusters can be created here. The program is searched first, because that costs nothing.</summary>
    internal async Task<KindAvailability> FindAsync(KindSpec hosting, CancellationToken cancellationToken)
    {
        if (!Tool(hosting, ContainerEngineChoice.Docker).IsThere) return new(false, "kind not on PATH");
        var answer = await engines.AskAsync(hosting.Engine, LimitOfAuto, cancellationToken).ConfigureAwait(false);
        return answer.Info is { } info
            ? new(true, $"{Text.Lower(info.Engine)} {info.Version} is running and kind is installed")
            : new(false, "kind is installed but no container engine is running");
    }

    internal async Task<KindSession> OpenAsync(ICakeContext context, MeshTrustSettings settings, ClusterBoard board,
        CancellationToken cancellationToken)
    {
        var (hosting, run) = (settings.Topology.Kind, settings.Run);
        var (engine, info) = await engines.FindAsync(hosting.Engine, cancellationToken).ConfigureAwait(false);
        return new KindSession
        {
            Engine = engine,
            Kind = Tool(hosting, engine.Engine),
            ReadAsync = ct => snapshots.ReadAsync(engine, info, ct),
            Connect = access => Connect(access, ShortTimeout),
            LoadBalancers = hosting.LoadBalancer.Kind == LoadBalancerKind.None ? null
                : new LoadBalancerSetup(context, hosting, run.WorkDirectory, access => Connect(access, ClusterApiSettings.Default),
                    host.Time),
            Run = run,
            Planner = Planner,
            Progress = board,
            Warn = board.Warn,
            Time = host.Time,
        };
    }

    private IClusterApi Connect(ClusterAccess access, ClusterApiSettings settings) =>
        KubernetesClusterApi.Connect(access, settings with { Time = host.Time });

    private KindTool Tool(KindSpec hosting, ContainerEngineChoice engine) => new(host, engine, hosting.Network.Name);
}

internal sealed record KindAvailability(bool IsThere, string Reason);

/// <summary>What all parts of one run on kind clusters share: the engine, kind, access to API servers, and the progress display.</summary>
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

    public Task RemoveNodesAsync(ClusterName cluster, CancellationToken cancellationToken) =>
        // kind removes the context from the file that it is given: never one that others read, never the user's.
        Kind.DeleteAsync(cluster.Value, States.KindKubeconfigOf(cluster), cancellationToken);

    public async Task RemoveAsync(ClusterName cluster, CancellationToken cancellationToken)
    {
        await RemoveNodesAsync(cluster, cancellationToken).ConfigureAwait(false);
        Forget(cluster);
    }

    /// <summary>Removes the files of a cluster that has no nodes.</summary>
    public void Forget(ClusterName cluster)
    {
        Kubeconfigs.Remove(cluster);
        States.Remove(cluster);
    }
}
