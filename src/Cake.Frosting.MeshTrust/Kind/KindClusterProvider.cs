using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Clusters that kind creates on a container engine. Everything is planned and checked before anything is touched; then the clusters are
/// created in parallel. A cluster that matches is kept. One that differs or is foreign is reported and not touched without --force or
/// --adopt.
/// </summary>
internal sealed class KindClusterProvider(KindSession session) : IClusterProvider
{
    private const long MemoryOfACluster = 2L << 30;
    public ProviderChoice Choice => ProviderChoice.Kind;

    public async Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        foreach (var cluster in topology.Clusters) session.Tell(cluster.Name, "waits", ClusterProgressState.Waiting);
        using var ours = await session.States.LockAsync(session.Time, cancellationToken).ConfigureAwait(false);
        var snapshot = await WithNetworkAsync(topology.Kind.Network, cancellationToken).ConfigureAwait(false);
        var set = await session.PlanAsync(topology, snapshot, cancellationToken).ConfigureAwait(false);
        var (addresses, verdicts) = Accept(set);
        if (session.LoadBalancers is { } balancers) await balancers.PrepareAsync(snapshot, cancellationToken).ConfigureAwait(false);
        await SupplyImagesAsync(topology, verdicts, cancellationToken).ConfigureAwait(false);
        await StartInOrderAsync(verdicts, cancellationToken).ConfigureAwait(false);
        var clusters = await ReconcileAsync(topology, snapshot, verdicts, cancellationToken).ConfigureAwait(false);
        if (clusters.Any(cluster => cluster.Cluster.Outcome != ClusterOutcome.Kept))
            snapshot = await session.ReadAsync(cancellationToken).ConfigureAwait(false);
        await SetRoutesAsync(topology, addresses, snapshot, clusters, cancellationToken).ConfigureAwait(false);
        return new ClusterSet([.. clusters.Select(cluster => cluster.Cluster)]);
    }

    /// <summary>
    /// Repairs the existing clusters that MeshTrust created, after a restart of the engine: starts their nodes, follows moved addresses,
    /// sets routes. It creates no cluster.
    /// </summary>
    public async Task<ClusterSet> RepairAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        var snapshot = await session.ReadAsync(cancellationToken).ConfigureAwait(false);
        var there = topology.Clusters.Where(cluster => IsWhole(cluster.Name)).ToList();
        return there.Count == 0 ? new ClusterSet([])
            : await EnsureAsync(topology with { Clusters = there }, cancellationToken).ConfigureAwait(false);

        // SetupKind recreates one that was never completed or has lost its control planes.
        bool IsWhole(ClusterName name) => session.States.Read(name) is { Phase: KindPhase.Ready }
            && snapshot.NodesOf(name.Value).Any(node => node.KindRole == NodeNames.ControlPlane);
    }

    /// <summary>How many clusters are created at once: on an overloaded machine kubeadm gives up after four minutes.</summary>
    public static int Parallel(int clusters, int? wanted, EngineInfo info)
    {
        var processors = Math.Max(2, info.Processors);
        var memory = info.Memory <= 0 ? clusters : Math.Max(1, (int)Math.Min(int.MaxValue, info.Memory / MemoryOfACluster));
        return Math.Max(1, Math.Min(clusters, wanted ?? Math.Min(processors, memory)));
    }

    /// <summary>
    /// The engine with the nodes' network, created once before the first cluster: two kinds at once may create two of one name.
    /// </summary>
    private async Task<EngineSnapshot> WithNetworkAsync(ContainerNetworkSpec wanted, CancellationToken cancellationToken)
    {
        var snapshot = await session.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (snapshot.NetworksNamed(wanted.Name).Count > 0) return snapshot;
        var (subnets, ipRange) = wanted.Create ? (wanted.Subnets, wanted.IpRange) : ([], null);
        await session.Engine.CreateNetworkAsync(wanted.Name, subnets, ipRange, cancellationToken).ConfigureAwait(false);
        return await session.ReadAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stores the addresses for the next run, and throws all problems at once.</summary>
    private (AddressPlan Addresses, IReadOnlyList<KindVerdict> Verdicts) Accept(KindPlanSet set)
    {
        if (set.Addresses.Value is { } given)
        {
            foreach (var warning in given.Warnings) session.Warn(warning);
            session.States.WriteAddresses(given.ToLock());
        }

        var (addresses, verdicts) = set.Complete();
        foreach (var warning in verdicts.SelectMany(verdict => verdict.Plan.Warnings).Distinct()) session.Warn(warning);
        var refusals = verdicts.Select(verdict => verdict.Refusal(session.Run.Force, session.Run.Adopt)).OfType<Problem>().ToList();
        return refusals.Count > 0 ? throw new MeshTrustException(Stage.ClusterCreation, refusals) : (addresses, verdicts);
    }

    private Task SupplyImagesAsync(MeshTopology topology, IReadOnlyList<KindVerdict> verdicts, CancellationToken cancellationToken)
    {
        var creating = verdicts.Where(verdict => verdict.Creates).Select(verdict => verdict.Plan).ToList();
        return new NodeImageSupply(session.Engine, session.Time).EnsureAsync([.. creating.Select(plan => plan.Image).OfType<string>()],
            topology.Kind.ImageArchiveDirectory,
            step => { foreach (var plan in creating) session.Tell(plan.Cluster, step); },
            cancellationToken);
    }

    /// <summary>
    /// Starts the stopped nodes of all clusters in the order of the addresses that they had. An engine assigns the lowest free address, so
    /// most nodes get their own back. Several control planes need that: their etcd knows its members by address.
    /// </summary>
    private async Task StartInOrderAsync(IReadOnlyList<KindVerdict> verdicts, CancellationToken cancellationToken)
    {
        var stopped =
            from verdict in verdicts
            where !verdict.Creates && verdict.Stopped.Count > 0
            let before = session.States.Read(verdict.Plan.Cluster)
            from node in verdict.Stopped
            orderby Number(before?.NodeAddresses.GetValueOrDefault(node)), node
            select (verdict.Plan.Cluster, node);
        foreach (var (cluster, node) in stopped.ToList())
        {
            session.Tell(cluster, $"starting {node}");
            try
            {
                await session.Engine.StartAsync([node], cancellationToken).ConfigureAwait(false);
            }
            catch (MeshTrustException)
            {
                // Its cluster starts it again later, and a failure counts then.
            }
        }

        static uint Number(IReadOnlyList<IPAddress>? addresses) =>
            addresses?.FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) is { } address
                ? BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes()) : uint.MaxValue;
    }

    private async Task<IReadOnlyList<ReconciledCluster>> ReconcileAsync(MeshTopology topology, EngineSnapshot snapshot,
        IReadOnlyList<KindVerdict> verdicts, CancellationToken cancellationToken)
    {
        using var slots = new SemaphoreSlim(Parallel(verdicts.Count, session.Run.Parallel, snapshot.Info));
        var reconciler = new KindReconciler(session, topology, snapshot.Info, slots);
        var works = verdicts.Select(verdict => reconciler.ReconcileAsync(verdict, cancellationToken)).ToList();
        try
        {
            return await Task.WhenAll(works).ConfigureAwait(false);
        }
        catch (MeshTrustException) when (!cancellationToken.IsCancellationRequested)
        {
            // Task.WhenAll has waited for all, including the siblings of one that failed.
            var faults = works.Where(work => work.IsFaulted).Select(work => work.Exception!.InnerException!).ToList();
            if (faults.Find(fault => fault is not MeshTrustException) is { } unknown)
                throw new InvalidOperationException(unknown.Message, unknown);
            var known = faults.Cast<MeshTrustException>().ToList();
            throw new MeshTrustException(known[0].Stage, [.. known.SelectMany(fault => fault.Problems)], known[0]);
        }
    }

    /// <summary>
    /// Sets the routes between the pods and services of clusters of one network, on every node. Setting one again changes nothing.
    /// </summary>
    private async Task SetRoutesAsync(MeshTopology topology, AddressPlan addresses, EngineSnapshot snapshot,
        IReadOnlyList<ReconciledCluster> clusters, CancellationToken cancellationToken)
    {
        var podRanges = clusters.SelectMany(cluster => cluster.Readiness.Nodes).ToDictionary(node => node.Name, node => node.PodRanges);
        var routes = RoutePlan.For(topology, addresses, snapshot, podRanges);
        var refused = await Task.WhenAll(routes.GroupBy(route => route.Node)
            .Select(node => SetRoutesAsync(node.Key, [.. node], cancellationToken))).ConfigureAwait(false);
        if (refused.OfType<Problem>().ToList() is { Count: > 0 } problems) throw new MeshTrustException(Stage.Contexts, problems);
    }

    /// <summary>
    /// All routes of a node in one call; if that fails, one by one, to report the first that fails.
    /// </summary>
    private async Task<Problem?> SetRoutesAsync(string node, IReadOnlyList<NodeRoute> routes, CancellationToken cancellationToken)
    {
        var batch = string.Concat(routes.Select(route => $"route replace {route.Destination} via {route.Via}\n"));
        var all = await session.Engine.ExecuteAsync(node, ["ip", "-batch", "-"], batch, cancellationToken).ConfigureAwait(false);
        if (all.ExitCode == 0) return null;
        foreach (var route in routes)
        {
            var result = await session.Engine.ExecuteAsync(node, route.Command, null, cancellationToken).ConfigureAwait(false);
            if (result.ExitCode == 0) continue;
            return new Problem("MT2324", node,
                $"'{string.Join(' ', route.Command)}' failed on the node: {result.Error.Trim().TrimEnd('.')}.",
                "Check that the node is running and still has its addresses; --target=Repair sets all routes again.");
        }

        return null;
    }
}
