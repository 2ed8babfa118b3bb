using Cake.Core;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Finds kind and a container engine on this machine, and opens the way to them.</summary>
public sealed class KindAccess(ToolHost host, EngineSearch engines, EngineSnapshotReader snapshots)
{
    /// <summary>How long an engine has to answer where nobody asked for it: a machine without one must not make every run wait.</summary>
    private static readonly TimeSpan LimitOfAuto = TimeSpan.FromSeconds(5);

    /// <summary>A new API server comes up while it is asked: a short try, again and again, tells sooner than a patient one.</summary>
    private static readonly ClusterApiSettings Impatient = ClusterApiSettings.Default with { Deadline = TimeSpan.FromSeconds(6), AttemptTimeout = TimeSpan.FromSeconds(3) };

    /// <summary>Whether kind clusters can be made here. The program is looked for first: that costs nothing.</summary>
    public async Task<KindAvailability> FindAsync(KindSpec hosting, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(hosting);
        if (!Tool(hosting, ContainerEngineChoice.Docker).IsThere) return new(false, "kind is not on the PATH");
        var answer = await engines.AskAsync(hosting.Engine, LimitOfAuto, cancellationToken).ConfigureAwait(false);
        return answer.Info is { } info
            ? new(true, $"{info.Engine.ToString().ToLowerInvariant()} {info.Version} answers and kind is there")
            : new(false, "kind is there but no container engine answers");
    }

    /// <summary>What a run on kind clusters works with.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT22xx: no container engine answers.</exception>
    public async Task<KindRun> OpenAsync(ICakeContext context, MeshTrustSettings settings, ClusterBoard board, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(settings);
        var hosting = settings.Topology.Kind;
        var (engine, info) = await engines.FindAsync(hosting.Engine, cancellationToken).ConfigureAwait(false);
        return new KindRun
        {
            Engine = engine,
            Kind = Tool(hosting, engine.Engine),
            ReadAsync = ct => snapshots.ReadAsync(engine, info, ct),
            Connect = access => KubernetesClusterApi.Connect(access, Impatient with { Time = host.Time }),
            LoadBalancers = hosting.LoadBalancer.Kind == LoadBalancerKind.None ? null : new LoadBalancerSetup(context, hosting, settings.Run.WorkDirectory, access => KubernetesClusterApi.Connect(access, ClusterApiSettings.Default with { Time = host.Time }), host.Time),
            Run = settings.Run,
            Progress = board,
            Warn = board.Warn,
            Time = host.Time,
        };
    }

    private KindTool Tool(KindSpec hosting, ContainerEngineChoice engine) => new(host, new KindSettings { Engine = engine, Network = hosting.Network.Name });
}
