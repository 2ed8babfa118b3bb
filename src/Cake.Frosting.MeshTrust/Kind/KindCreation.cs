using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Makes one cluster with kind: a passing fault is tried again, from nothing each time.</summary>
public sealed class KindCreation(KindRun run)
{
    /// <summary>The file in the cluster's state directory that kind writes its kubeconfig to: nobody else's.</summary>
    public const string KubeconfigFile = "kubeconfig";

    /// <summary>The file beside it with the configuration that kind was given.</summary>
    public const string ConfigFile = "kind-config.yaml";

    // etcd alone takes 64 MB for a segment of its log.
    private const long LeastDisk = 100L << 20;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(2);

    /// <summary>Makes the cluster. Its state says that it is being made, from before kind begins until somebody says that it is ready.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="plan">The plan of this cluster.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>kind's own kubeconfig of the cluster.</returns>
    /// <exception cref="MeshTrustException">MT2305 to MT2315: kind failed; MT2322: it did not end in time.</exception>
    public async Task<string> CreateAsync(MeshTopology topology, KindPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(plan);
        var config = run.States.Write(plan.Cluster, ConfigFile, plan.ConfigYaml);
        var kubeconfig = Path.Combine(run.States.DirectoryOf(plan.Cluster), KubeconfigFile);
        for (var tries = 1; ; tries++)
        {
            run.States.Write(plan.Cluster, Begun(topology, plan));
            var fault = await TryAsync(topology, plan, config, kubeconfig, cancellationToken).ConfigureAwait(false);
            if (fault is null) return await TakeAsync(kubeconfig, cancellationToken).ConfigureAwait(false);
            if (!fault.IsPassing || tries > topology.Kind.Failure.Retries) throw new MeshTrustException(Stage.ClusterCreation, fault.Problem);
            run.Tell(plan.Cluster, $"trying again after a passing fault: {fault.Problem.Message}");
            await new KindRemoval(run).RemoveNodesAsync(plan.Cluster, cancellationToken).ConfigureAwait(false);
            await Task.Delay(FirstPause * tries, run.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The state of a cluster that is ready.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="plan">The plan of this cluster.</param>
    /// <param name="containers">The containers of the engine, now.</param>
    public KindState Ready(MeshTopology topology, KindPlan plan, IReadOnlyList<EngineContainer> containers)
    {
        ArgumentNullException.ThrowIfNull(containers);
        var nodes = containers.Where(container => container.KindCluster == plan.Cluster.Value).ToList();
        return Begun(topology, plan) with
        {
            Phase = KindPhase.Ready,
            Started = run.States.Read(plan.Cluster)?.Started ?? run.Time.GetUtcNow(),
            Nodes = nodes.ToDictionary(node => node.Name, node => node.Id, StringComparer.Ordinal),
            NodeFiles = plan.NodeFiles,
            NodeAddresses = nodes.ToDictionary(node => node.Name, node => node.Addresses.GetValueOrDefault(topology.Kind.Network.Name) ?? [], StringComparer.Ordinal),
        };
    }

    private async Task<KindFault?> TryAsync(MeshTopology topology, KindPlan plan, string config, string kubeconfig, CancellationToken cancellationToken)
    {
        var limit = topology.Kind.Timeouts.Create;
        using var timer = new CancellationTokenSource(limit, run.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            File.Delete(kubeconfig);
            await run.Kind.CreateAsync(plan.Cluster.Value, config, plan.Image ?? "", kubeconfig, step => run.Tell(plan.Cluster, step), limit + TimeSpan.FromMinutes(1), both.Token).ConfigureAwait(false);
            return null;
        }
        catch (MeshTrustException e) when (e.InnerException is ToolFailedException failed)
        {
            var fault = KindFault.Of(plan.Cluster.Value, failed.Result.Error);
            return fault.MayBeDisk && await new NodeDisk(run.Engine).ReadFreeAsync(plan.ControlPlanes[0], cancellationToken).ConfigureAwait(false) is < LeastDisk and var free
                ? KindFault.OfFullDisk(plan.Cluster.Value, free)
                : fault;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new KindFault(Late(plan.Cluster, limit), IsPassing: false);
        }
    }

    /// <summary>Reads kind's kubeconfig and removes it: its two copies lie where all kubeconfigs lie.</summary>
    private static async Task<string> TakeAsync(string kubeconfig, CancellationToken cancellationToken)
    {
        var text = await File.ReadAllTextAsync(kubeconfig, cancellationToken).ConfigureAwait(false);
        File.Delete(kubeconfig);
        return text;
    }

    private KindState Begun(MeshTopology topology, KindPlan plan) => new()
    {
        Phase = KindPhase.Creating,
        Mesh = topology.Name,
        Started = run.Time.GetUtcNow(),
        Image = plan.Image,
        Shape = plan.Shape,
        Addresses = plan.Addresses,
    };

    private static Problem Late(ClusterName cluster, TimeSpan limit) => new("MT2322", cluster.Value,
        $"kind did not make the cluster within {limit.TotalSeconds:0} s, and was ended.",
        "See the node's logs for what hangs; a slow machine needs a longer timeouts.create in the topology, or fewer clusters at once (--parallel).");
}
