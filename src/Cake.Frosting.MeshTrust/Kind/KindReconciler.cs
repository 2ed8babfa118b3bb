using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;
internal sealed record ReconciledCluster(KindPlan Plan, ProvidedCluster Cluster, ClusterReadiness Readiness);

/// <summary>
/// Brings one cluster to its desired state, whatever was found: creates it, keeps it, starts its nodes, adopts or replaces it.
/// </summary>
internal sealed partial class KindReconciler(KindSession session, MeshTopology topology, EngineInfo info, SemaphoreSlim slots)
{
    /// <summary>
    /// Acts on one verdict; a rejected one must not get here. If a new cluster could not be created, its logs are saved and the incomplete
    /// cluster is removed, unless it is retained. If a load balancer does not come up, the cluster stays, and the next run continues from
    /// there.
    /// </summary>
    public async Task<ReconciledCluster> ReconcileAsync(KindVerdict verdict, CancellationToken cancellationToken)
    {
        var cluster = verdict.Plan.Cluster;
        var isUnfinished = verdict.Creates;
        try
        {
            var there = await InSlotAsync(verdict, cancellationToken).ConfigureAwait(false);
            isUnfinished = false;
            if (session.LoadBalancers is { } balancers)
            {
                await balancers.EnsureAsync(there.Cluster.Access, verdict.Plan.Addresses, step => session.Tell(cluster, step),
                    cancellationToken).ConfigureAwait(false);
            }

            session.Tell(cluster, "ready", ClusterProgressState.Done);
            return there;
        }
        catch (MeshTrustException e) when (isUnfinished)
        {
            throw await SettleAsync(cluster, e, cancellationToken).ConfigureAwait(false);
        }
        catch (MeshTrustException e)
        {
            session.Tell(cluster, e.Problems[0].Message, ClusterProgressState.Failed);
            throw;
        }
    }

    private async Task<ReconciledCluster> InSlotAsync(KindVerdict verdict, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return verdict.Creates
                ? await CreateAsync(verdict, cancellationToken).ConfigureAwait(false)
                : await KeepAsync(verdict, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task<ReconciledCluster> CreateAsync(KindVerdict verdict, CancellationToken cancellationToken)
    {
        var plan = verdict.Plan;
        var differences = string.Join("; ", verdict.Differences);
        if (verdict.Action != KindAction.Create)
        {
            session.Tell(plan.Cluster, differences.Length > 0 ? $"removing it (--force): {differences}"
                : $"removing the incomplete cluster: {verdict.Reason}");
            await session.RemoveNodesAsync(plan.Cluster, cancellationToken).ConfigureAwait(false);
        }

        session.Tell(plan.Cluster, "creating");
        var kubeconfig = await RunKindAsync(plan, cancellationToken).ConfigureAwait(false);
        var containers = await session.Engine.ReadContainersAsync(cancellationToken).ConfigureAwait(false);
        var access = session.Kubeconfigs.Write(plan, topology, kubeconfig, KindServers.FromHere(plan, topology, info, containers));
        await WriteNodeFilesAsync(plan, cancellationToken).ConfigureAwait(false);
        using var api = session.Connect(access);
        var readiness = await WaitUntilReadyAsync(plan, api, cancellationToken).ConfigureAwait(false);
        await CheckEffectiveConfigAsync(plan, api, cancellationToken).ConfigureAwait(false);
        await LocalRegistryConfigMap.ApplyAsync(api, topology.Kind.Registries, cancellationToken).ConfigureAwait(false);
        // From here on it is complete and recorded as created by MeshTrust, here and in the cluster: only Clean or --force removes it.
        await OwnershipConfigMap.ApplyAsync(api, topology.Name, plan, cancellationToken).ConfigureAwait(false);
        session.States.Write(plan.Cluster, Ready(plan, containers));
        var note = differences.Length > 0 ? $"recreated (--force): {differences}"
            : verdict.Reason.Length > 0 ? $"recreated: {verdict.Reason}" : "";
        return Reconciled(plan, access, ClusterOutcome.Created, readiness, note);
    }

    private async Task<ReconciledCluster> KeepAsync(KindVerdict verdict, CancellationToken cancellationToken)
    {
        var plan = verdict.Plan;
        session.Tell(plan.Cluster, "checking whether it is ready");
        // They were started in order; one that does not run reports here why.
        if (verdict.Stopped.Count > 0) await session.Engine.StartAsync(verdict.Stopped, cancellationToken).ConfigureAwait(false);

        var containers = await session.Engine.ReadContainersAsync(cancellationToken).ConfigureAwait(false);
        var server = KindServers.FromHere(plan, topology, info, containers);
        var access = session.Kubeconfigs.AccessTo(plan.Cluster);
        if (session.Kubeconfigs.ServerOf(plan.Cluster) is not { } written || (server is not null && written.Authority != server.Authority))
        {
            var kubeconfig = await session.Kind.ReadKubeconfigAsync(plan.Cluster.Value, isInternal: false,
                cancellationToken).ConfigureAwait(false);
            access = session.Kubeconfigs.Write(plan, topology, kubeconfig, server);
        }

        using var api = session.Connect(access);
        var readiness = await WaitUntilReadyAsync(plan, api, cancellationToken).ConfigureAwait(false);
        var news = await BringUpToDateAsync(verdict, containers, api, cancellationToken).ConfigureAwait(false);
        var (outcome, note) = verdict.Action switch
        {
            KindAction.Start =>
                (ClusterOutcome.Restarted, string.Join("; ", [$"{string.Join(", ", verdict.Stopped)} was stopped", .. news])),
            KindAction.Foreign => (ClusterOutcome.Kept, "adopted (--adopt): MeshTrust manages it from now on, and Clean removes it"),
            _ => (ClusterOutcome.Kept, string.Join("; ", news)),
        };
        return Reconciled(plan, access, outcome, readiness, note);
    }

    /// <summary>Updates a cluster that stays: its nodes' addresses, its registries, its pool.</summary>
    /// <returns>What was done or changed, one clause each.</returns>
    private async Task<IReadOnlyList<string>> BringUpToDateAsync(KindVerdict verdict, IReadOnlyList<EngineContainer> containers,
        IClusterApi api, CancellationToken cancellationToken)
    {
        var plan = verdict.Plan;
        var before = session.States.Read(plan.Cluster);
        var moved = Moved(before, containers);
        var files = plan.NodeFiles.Where(file => before?.NodeFiles.Contains(file) != true).ToList();
        if (verdict.Action == KindAction.Keep && moved.Count == 0 && files.Count == 0)
        {
            // It may have received a pool since it was created; one that was not planned now is kept.
            var pool = plan.Addresses.LoadBalancerPool is { Count: > 0 } planned ? planned : before!.Addresses.LoadBalancerPool;
            session.States.Write(plan.Cluster, before! with { Addresses = plan.Addresses with { LoadBalancerPool = pool } });
            return [];
        }

        var ready = Ready(plan, containers);
        if (verdict.Action != KindAction.Keep || moved.Count > 0)
        {
            await OwnershipConfigMap.ApplyAsync(api, topology.Name, plan, cancellationToken).ConfigureAwait(false);
            if (!await AreMembersBackAsync(plan, cancellationToken).ConfigureAwait(false) && before is not null)
                ready = ready with { NodeAddresses = before.NodeAddresses };
        }

        if (files.Count > 0)
        {
            await WriteNodeFilesAsync(plan, cancellationToken).ConfigureAwait(false);
            await LocalRegistryConfigMap.ApplyAsync(api, topology.Kind.Registries, cancellationToken).ConfigureAwait(false);
            var effective = await ReadEffectiveConfigAsync(session.Engine, plan.KubernetesNodes, api,
                cancellationToken).ConfigureAwait(false);
            foreach (var problem in effective.Missing(plan).Where(problem => problem.Id == ProblemCodes.RegistriesNotConfigured))
                session.Warn(problem);
        }

        session.States.Write(plan.Cluster, ready);
        return [.. moved, .. files.Select(file => $"{file.Path} is new or changed, and was written to its nodes")];
    }

    /// <summary>
    /// The nodes whose addresses changed since the last run: an engine reassigns them when it restarts.
    /// </summary>
    private List<string> Moved(KindState? before, IReadOnlyList<EngineContainer> containers) =>
    [
        .. from node in containers
           let then = before?.NodeAddresses.GetValueOrDefault(node.Name)
           where then is not null
           let now = AddressesOf(node)
           where !now.SequenceEqual(then)
           select $"{node.Name} was {string.Join(", ", then)}, is now {string.Join(", ", now)}",
    ];

    private ReconciledCluster Reconciled(KindPlan plan, ClusterAccess access, ClusterOutcome outcome, ClusterReadiness readiness,
        string note)
    {
        var addresses = plan.Addresses.LoadBalancerPool;
        var pool = addresses.Count == 0 ? "" : $", load-balancer addresses {string.Join(", ", addresses)}";
        var version = readiness.Nodes.Count > 0 && readiness.Nodes[0].KubeletVersion is { Length: > 0 } kubelet ? $", Kubernetes {kubelet}"
            : "";
        var server = session.Kubeconfigs.ServerOf(plan.Cluster)?.GetLeftPart(UriPartial.Authority);
        var detail = $"{server}, {Text.Count(plan.KubernetesNodes.Count, "node")}{version}{pool}{(note.Length > 0 ? $"; {note}" : "")}";
        return new(plan, new ProvidedCluster { Access = access, Outcome = outcome, LoadBalancerPool = addresses, Detail = detail },
            readiness);
    }
}
