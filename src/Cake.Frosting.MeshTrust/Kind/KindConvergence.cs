using MeshTrust;
using MeshTrust.Kubeconfig;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Makes one cluster what it shall be, whatever was found: makes it, keeps it, starts its nodes, takes it over, or makes it anew.</summary>
public sealed class KindConvergence(KindRun run, MeshTopology topology, EngineInfo info, SemaphoreSlim slots)
{
    private readonly KindCreation _creation = new(run);
    private readonly KindFailures _failures = new(run, topology.Kind.Failure);

    /// <summary>Acts on one verdict; a refused one must not come here.</summary>
    /// <exception cref="MeshTrustException">
    /// The cluster could not be made; its logs are saved, and what there was of a new one is removed unless it shall stay. Or its load balancer does
    /// not come up: then the cluster stays, and the next run goes on from there.
    /// </exception>
    internal async Task<ConvergedCluster> ConvergeAsync(KindVerdict verdict, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        var cluster = verdict.Plan.Cluster;
        var isNew = IsMade(verdict);
        try
        {
            var there = await InSlotAsync(() => isNew ? MakeAsync(verdict, cancellationToken) : TakeAsync(verdict, cancellationToken), cancellationToken).ConfigureAwait(false);
            isNew = false;
            if (run.LoadBalancers is { } balancers)
                await balancers.EnsureAsync(there.Cluster.Access, verdict.Plan.Addresses, step => run.Tell(cluster, step), cancellationToken).ConfigureAwait(false);
            run.Tell(cluster, "ready", ClusterProgressState.Done);
            return there;
        }
        catch (MeshTrustException e) when (isNew)
        {
            throw await _failures.SettleAsync(cluster, e, cancellationToken).ConfigureAwait(false);
        }
        catch (MeshTrustException e)
        {
            run.Tell(cluster, e.Problems[0].Message, ClusterProgressState.Failed);
            throw;
        }
    }

    /// <summary>Whether the cluster is made, from nothing or anew; otherwise the one that is there is taken. Adopted and forced, one that differs is made anew.</summary>
    public static bool IsMade(KindVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        return verdict.Action is KindAction.Create or KindAction.Differs or KindAction.HalfMade || (verdict.Action == KindAction.Foreign && verdict.Differences.Count > 0);
    }

    private async Task<ConvergedCluster> InSlotAsync(Func<Task<ConvergedCluster>> work, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task<ConvergedCluster> MakeAsync(KindVerdict verdict, CancellationToken cancellationToken)
    {
        var plan = verdict.Plan;
        if (verdict.Action != KindAction.Create)
        {
            run.Tell(plan.Cluster, verdict.Differences.Count > 0 ? $"removing it (--force): {string.Join("; ", verdict.Differences)}" : $"removing what there is: {verdict.Reason}");
            await new KindRemoval(run).RemoveNodesAsync(plan.Cluster, cancellationToken).ConfigureAwait(false);
        }

        run.Tell(plan.Cluster, "creating");
        var kubeconfig = await _creation.CreateAsync(topology, plan, cancellationToken).ConfigureAwait(false);
        var containers = await run.Engine.ReadContainersAsync(cancellationToken).ConfigureAwait(false);
        var access = run.Kubeconfigs.Write(plan.Cluster, kubeconfig, KindServers.FromHere(plan, topology, info, containers), KindServers.Internal(plan), KindServers.TlsName(plan, topology));
        await new NodeFiles(run).WriteAsync(plan, cancellationToken).ConfigureAwait(false);
        var readiness = await WaitAsync(access, plan, cancellationToken).ConfigureAwait(false);
        using var api = run.Connect(access);
        await CheckAsync(plan, api, cancellationToken).ConfigureAwait(false);
        await LocalRegistryMark.ApplyAsync(api, topology.Kind.Registries, cancellationToken).ConfigureAwait(false);

        // From here on it is whole and ours, here and in the cluster: only the user's word removes it.
        await KindMark.ApplyAsync(api, topology.Name, plan, cancellationToken).ConfigureAwait(false);
        run.States.Write(plan.Cluster, _creation.Ready(topology, plan, containers));
        var note = verdict.Differences.Count > 0 ? $"made anew (--force): {string.Join("; ", verdict.Differences)}" : verdict.Reason.Length > 0 ? $"made anew: {verdict.Reason}" : "";
        return Converged(verdict, access, ClusterOutcome.Created, readiness, note);
    }

    private async Task<ConvergedCluster> TakeAsync(KindVerdict verdict, CancellationToken cancellationToken)
    {
        var plan = verdict.Plan;
        run.Tell(plan.Cluster, "looking whether it is ready");
        if (verdict.Stopped.Count > 0)
        {
            // They were started in order; what does not run says here why.
            await run.Engine.StartAsync(verdict.Stopped, cancellationToken).ConfigureAwait(false);
        }

        var containers = await run.Engine.ReadContainersAsync(cancellationToken).ConfigureAwait(false);
        var server = KindServers.FromHere(plan, topology, info, containers);
        var access = run.Kubeconfigs.AccessTo(plan.Cluster);
        if (run.Kubeconfigs.ServerOf(plan.Cluster) is not { } written || (server is not null && written.Authority != server.Authority))
            access = run.Kubeconfigs.Write(plan.Cluster, await run.Kind.ReadKubeconfigAsync(plan.Cluster.Value, isInternal: false, cancellationToken).ConfigureAwait(false), server, KindServers.Internal(plan), KindServers.TlsName(plan, topology));
        var readiness = await WaitAsync(access, plan, cancellationToken).ConfigureAwait(false);
        var news = await new KindUpkeep(run, topology).BringUpToDateAsync(verdict, containers, _creation.Ready(topology, plan, containers), () => run.Connect(access), cancellationToken).ConfigureAwait(false);
        return verdict.Action switch
        {
            KindAction.Start => Converged(verdict, access, ClusterOutcome.Restarted, readiness, string.Join("; ", [$"{string.Join(", ", verdict.Stopped)} did not run", .. news])),
            KindAction.Foreign => Converged(verdict, access, ClusterOutcome.Kept, readiness, "taken over (--adopt): from now on it is MeshTrust's to remove"),
            _ => Converged(verdict, access, ClusterOutcome.Kept, readiness, string.Join("; ", news)),
        };
    }

    private Task<ClusterReadiness> WaitAsync(ClusterAccess access, KindPlan plan, CancellationToken cancellationToken) =>
        new ReadinessWait(run.Connect, (cluster, step) => run.Tell(cluster, step), run.Time)
            .UntilReadyAsync(access, plan.KubernetesNodes, topology.Kind.Timeouts.Ready, cancellationToken);

    private async Task CheckAsync(KindPlan plan, IClusterApi api, CancellationToken cancellationToken)
    {
        run.Tell(plan.Cluster, "reading back what it runs with");
        var missing = await new EffectiveConfigReading(run).CompareAsync(plan, api, cancellationToken).ConfigureAwait(false);
        foreach (var warning in missing.Where(problem => problem.Severity == Severity.Warning)) run.Warn(warning);
        if (missing.Where(problem => problem.Severity == Severity.Error).ToList() is { Count: > 0 } errors) throw new MeshTrustException(Stage.ClusterCreation, errors);
    }

    private ConvergedCluster Converged(KindVerdict verdict, ClusterAccess access, ClusterOutcome outcome, ClusterReadiness readiness, string note)
    {
        var plan = verdict.Plan;
        var pool = plan.Addresses.LoadBalancerPool.Count == 0 ? "" : $", load-balancer addresses {string.Join(", ", plan.Addresses.LoadBalancerPool)}";
        var nodes = plan.KubernetesNodes.Count;
        var version = readiness.Nodes.Count > 0 && readiness.Nodes[0].KubeletVersion.Length > 0 ? $", Kubernetes {readiness.Nodes[0].KubeletVersion}" : "";
        return new ConvergedCluster(plan, new ProvidedCluster
        {
            Access = access,
            Outcome = outcome,
            LoadBalancerPool = plan.Addresses.LoadBalancerPool,
            Detail = $"{run.Kubeconfigs.ServerOf(plan.Cluster)?.GetLeftPart(UriPartial.Authority)}, {nodes} node{(nodes == 1 ? "" : "s")}{version}{pool}{(note.Length > 0 ? $"; {note}" : "")}",
        }, readiness);
    }
}
