using MeshTrust;
using MeshTrust.Kubeconfig;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Clusters that kind makes on a container engine. All plans are made and judged before anything is touched; then the clusters are made in
/// parallel. A cluster that fits is kept, one that differs or is somebody else's is named and not touched without the user's word.
/// </summary>
public sealed class KindClusterProvider(KindRun run) : IClusterProvider
{
    private const long MemoryOfACluster = 2L << 30;

    /// <inheritdoc/>
    public ProviderChoice Choice => ProviderChoice.Kind;

    /// <inheritdoc/>
    /// <exception cref="MeshTrustException">All refusals at once, before anything is changed; or all clusters that failed, after the others are there.</exception>
    public async Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        foreach (var cluster in topology.Clusters) run.Tell(cluster.Name, "waits", ClusterProgressState.Waiting);
        using var ours = await run.States.LockAsync(run.Time, cancellationToken).ConfigureAwait(false);
        var snapshot = await run.ReadAsync(cancellationToken).ConfigureAwait(false);
        snapshot = await new KindNetwork(run).EnsureAsync(topology.Kind.Network, snapshot, cancellationToken).ConfigureAwait(false);
        var addresses = await PlanAddressesAsync(topology, snapshot, cancellationToken).ConfigureAwait(false);
        var verdicts = Judge(topology, snapshot, addresses);

        if (run.LoadBalancers is { } balancers) await balancers.PrepareAsync(snapshot, cancellationToken).ConfigureAwait(false);
        await SupplyImagesAsync(topology, verdicts, cancellationToken).ConfigureAwait(false);
        await new RestartOrder(run).StartAsync(verdicts, cancellationToken).ConfigureAwait(false);
        var clusters = await ConvergeAsync(topology, snapshot, verdicts, cancellationToken).ConfigureAwait(false);
        await SetRoutesAsync(topology, addresses, snapshot, clusters, cancellationToken).ConfigureAwait(false);
        return new ClusterSet([.. clusters.Select(cluster => cluster.Cluster)]);
    }

    /// <summary>Sets right what a restart of the engine leaves behind, for the clusters that are there: starts their nodes, follows moved addresses, sets routes.</summary>
    /// <returns>The clusters that MeshTrust made and that are there; none is made.</returns>
    /// <exception cref="MeshTrustException">As <see cref="EnsureAsync"/>.</exception>
    public async Task<ClusterSet> RepairAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        var snapshot = await run.ReadAsync(cancellationToken).ConfigureAwait(false);
        var there = topology.Clusters.Where(cluster => IsWhole(cluster.Name)).ToList();
        return there.Count == 0 ? new ClusterSet([]) : await EnsureAsync(topology with { Clusters = there }, cancellationToken).ConfigureAwait(false);

        // One that was never finished, or has lost its control planes, is SetupKind's to make anew.
        bool IsWhole(ClusterName name) => run.States.Read(name) is { Phase: KindPhase.Ready } && snapshot.NodesOf(name.Value).Any(node => node.KindRole == "control-plane");
    }

    /// <summary>How many clusters are made at once: kubeadm gives up after four minutes on a machine that is asked for too much.</summary>
    /// <param name="clusters">How many there are to make.</param>
    /// <param name="wanted">What the user wants; null for what the machine can do.</param>
    /// <param name="info">The machine.</param>
    public static int Parallel(int clusters, int? wanted, EngineInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        var processors = Math.Max(2, info.Processors);
        var memory = info.Memory <= 0 ? clusters : Math.Max(1, (int)Math.Min(int.MaxValue, info.Memory / MemoryOfACluster));
        return Math.Max(1, Math.Min(clusters, wanted ?? Math.Min(processors, memory)));
    }

    /// <summary>The kind configuration that every cluster's is laid over; null for none.</summary>
    /// <exception cref="MeshTrustException">MT0101: it cannot be read.</exception>
    internal static string? ReadOverlay(MeshTopology topology)
    {
        if (topology.Kind.KindConfigFile is not { } file) return null;
        try
        {
            return MeshTrustSettings.ReadFile(file);
        }
        catch (Exception e) when (e is not MeshTrustException)
        {
            throw new MeshTrustException(Stage.Input, new Problem("MT0101", file,
                $"The kind configuration cannot be read: {e.Message.TrimEnd('.')}.",
                "Give the path of a readable file to --kind-config."), e);
        }
    }

    private async Task<AddressPlan> PlanAddressesAsync(MeshTopology topology, EngineSnapshot snapshot, CancellationToken cancellationToken)
    {
        var kept = run.States.ReadAddresses();
        var found = await new OtherClusters(run.Engine, run.States).ReadAsync(topology, snapshot, kept, cancellationToken).ConfigureAwait(false);
        var plan = AddressPlan.For(topology, snapshot, kept, found, run.Run.Adopt);
        foreach (var warning in plan.Warnings) run.Warn(warning);
        run.States.WriteAddresses(plan.ToLock());
        return plan;
    }

    private List<KindVerdict> Judge(MeshTopology topology, EngineSnapshot snapshot, AddressPlan addresses)
    {
        var plans = KindPlan.For(topology, snapshot, addresses, ReadOverlay(topology));
        foreach (var warning in plans.SelectMany(plan => plan.Warnings).Distinct()) run.Warn(warning);
        var verdicts = plans.Select(plan => KindVerdict.Of(plan, snapshot, run.States.Read(plan.Cluster))).ToList();
        var refusals = verdicts.Select(verdict => verdict.Refusal(run.Run.Force, run.Run.Adopt)).OfType<Problem>().ToList();
        return refusals.Count > 0 ? throw new MeshTrustException(Stage.ClusterCreation, refusals) : verdicts;
    }

    private Task SupplyImagesAsync(MeshTopology topology, List<KindVerdict> verdicts, CancellationToken cancellationToken)
    {
        var making = verdicts.Where(KindConvergence.IsMade).Select(verdict => verdict.Plan).ToList();
        return new NodeImageSupply(run).EnsureAsync(
            [.. making.Select(plan => plan.Image).OfType<string>()],
            topology.Kind.ImageArchiveDirectory,
            step => { foreach (var plan in making) run.Tell(plan.Cluster, step); },
            cancellationToken);
    }

    private async Task<IReadOnlyList<ConvergedCluster>> ConvergeAsync(MeshTopology topology, EngineSnapshot snapshot, List<KindVerdict> verdicts, CancellationToken cancellationToken)
    {
        using var slots = new SemaphoreSlim(Parallel(verdicts.Count, run.Run.Parallel, snapshot.Info));
        var convergence = new KindConvergence(run, topology, snapshot.Info, slots);
        var works = verdicts.Select(verdict => convergence.ConvergeAsync(verdict, cancellationToken)).ToList();
        try
        {
            return await Task.WhenAll(works).ConfigureAwait(false);
        }
        catch (MeshTrustException) when (!cancellationToken.IsCancellationRequested)
        {
            // Task.WhenAll has waited for all; the siblings of one that failed are there.
            var faults = works.Where(work => work.IsFaulted).Select(work => work.Exception!.InnerException!).ToList();
            if (faults.FirstOrDefault(fault => fault is not MeshTrustException) is { } unknown) throw new InvalidOperationException(unknown.Message, unknown);
            var known = faults.Cast<MeshTrustException>().ToList();
            throw new MeshTrustException(known[0].Stage, [.. known.SelectMany(fault => fault.Problems)], known[0]);
        }
    }

    private async Task SetRoutesAsync(MeshTopology topology, AddressPlan addresses, EngineSnapshot before, IReadOnlyList<ConvergedCluster> clusters, CancellationToken cancellationToken)
    {
        var snapshot = clusters.All(cluster => cluster.Cluster.Outcome == ClusterOutcome.Kept) ? before : await run.ReadAsync(cancellationToken).ConfigureAwait(false);
        await new KindRoutes(run).SetAsync(topology, addresses, snapshot, clusters, cancellationToken).ConfigureAwait(false);
    }
}
