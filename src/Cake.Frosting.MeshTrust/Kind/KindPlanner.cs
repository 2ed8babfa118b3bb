using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What was found or created, or why not; neither if it was not tried or there is none.</summary>
internal sealed record Attempt<T>(T? Value, MeshTrustException? Fault = null)
    where T : class
{
    public IReadOnlyList<Problem> Problems => Fault?.Problems ?? [];

    public T? ValueOrThrow() => Fault is null ? Value : throw Fault;

    public static Attempt<T> Of(Func<T?> work)
    {
        try
        {
            return new(work());
        }
        catch (MeshTrustException fault)
        {
            return new(null, fault);
        }
    }

    public static async Task<Attempt<T>> OfAsync(Func<Task<T?>> work)
    {
        try
        {
            return new(await work().ConfigureAwait(false));
        }
        catch (MeshTrustException fault)
        {
            return new(null, fault);
        }
    }
}

/// <summary>The plan for all kind clusters of a topology: Preflight and Status show it, SetupKind applies it.</summary>
internal sealed record KindPlanSet(EngineSnapshot Snapshot, Attempt<AddressPlan> Addresses, Attempt<IReadOnlyList<KindPlan>> Plans)
{
    /// <summary>One for each plan, in the order of the topology.</summary>
    public IReadOnlyList<Attempt<KindVerdict>> Verdicts { get; init; } = [];

    /// <summary>The complete plan; throws the reason if there is none.</summary>
    public (AddressPlan Addresses, IReadOnlyList<KindVerdict> Verdicts) Complete()
    {
        var addresses = Addresses.ValueOrThrow()!;
        Plans.ValueOrThrow();
        return (addresses, [.. Verdicts.Select(verdict => verdict.ValueOrThrow()!)]);
    }
}

/// <summary>Plans the kind clusters of a topology, once in a run.</summary>
internal sealed class KindPlanner
{
    private static readonly string[] Manifests =
        ["cat", "/etc/kubernetes/manifests/kube-apiserver.yaml", "/etc/kubernetes/manifests/kube-controller-manager.yaml"];

    private static readonly string[] Pools =
    [
        "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--request-timeout=5s", "get", "ipaddresspools.metallb.io",
        "--all-namespaces",
        "--output=jsonpath={range .items[*]}{.metadata.name}{range .spec.addresses[*]}{\" \"}{@}{end}{\"\\n\"}{end}",
    ];

    private (MeshTopology Topology, string Basis, KindPlanSet Set)? _last;

    /// <summary>
    /// Plans. An earlier plan of this run holds as long as the engine and the work directory are unchanged. So SetupKind, which checks
    /// again under the lock of the work directory, applies what Preflight showed, and plans again if another program changed something. A
    /// cluster's state is a small file and decides what may be removed, so verdicts always use its current content.
    /// </summary>
    public async Task<KindPlanSet> PlanAsync(MeshTopology topology, RunSpec run, IContainerEngine engine, EngineSnapshot snapshot,
        CancellationToken cancellationToken)
    {
        var states = new KindStates(run.WorkDirectory);
        var overlay = ReadOverlay(topology);
        var kept = Attempt<AddressLock>.Of(states.ReadAddresses);
        string?[] parts = [.. Lines(snapshot), kept.Value?.ToJson(), kept.Fault?.Message, overlay.Value, overlay.Fault?.Message];
        var basis = string.Join('\n', parts);
        if (_last is not { } last || last.Topology != topology || last.Basis != basis)
        {
            var addresses = await Attempt<AddressPlan>.OfAsync(async () =>
            {
                var known = kept.ValueOrThrow();
                var found = await FindAsync(topology, engine, snapshot, states, known, cancellationToken).ConfigureAwait(false);
                return AddressPlan.For(topology, snapshot, known, found, run.Adopt);
            }).ConfigureAwait(false);
            var plans = Attempt<IReadOnlyList<KindPlan>>.Of(() =>
                overlay.ValueOrThrow() is var text && addresses.Value is { } planned ? KindPlan.For(topology, snapshot, planned, text)
                    : null);
            _last = last = (topology, basis, new KindPlanSet(snapshot, addresses, plans));
        }

        return last.Set with
        {
            Snapshot = snapshot,
            Verdicts =
            [
                .. from plan in last.Set.Plans.Value ?? []
                   select Attempt<KindVerdict>.Of(() => KindVerdict.Of(plan, snapshot, states.Read(plan.Cluster))),
            ],
        };
    }

    /// <summary>The kind configuration that every cluster's is laid over.</summary>
    public static Attempt<string> ReadOverlay(MeshTopology topology) => Attempt<string>.Of(() =>
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
                "Set --kind-config to the path of a readable file."), e);
        }
    });

    private static IEnumerable<string> Lines(EngineSnapshot snapshot) =>
    [
        $"{snapshot.Info} {snapshot.KindVersion}",
        .. snapshot.Routes.Select(route => route.ToString()),
        .. from network in snapshot.Networks
           from subnet in network.Subnets
           select $"{network.Id} {network.Name} {subnet.Range} {subnet.IpRange} {subnet.Gateway}",
        .. from container in snapshot.Containers
           let addresses = container.Addresses.Select(one => $"{one.Key}={string.Join(',', one.Value)}")
           select $"{container.Id} {container.Name} {container.IsRunning} {container.KindCluster} {string.Join(' ', addresses)}",
    ];

    /// <summary>
    /// Reads the addresses of other kind clusters on the same engine: pod and service ranges, and the addresses their load balancers
    /// assign. MetalLB checks for overlaps only within one cluster, and the engine shows none of it. They are read in the clusters' own
    /// nodes, where their credentials are; those of clusters outside the topology only if something is to be assigned.
    /// </summary>
    private static async Task<IReadOnlyList<FoundAddresses>> FindAsync(MeshTopology topology, IContainerEngine engine,
        EngineSnapshot snapshot, KindStates states, AddressLock? kept, CancellationToken cancellationToken)
    {
        var hasPools = topology.Kind.LoadBalancer.Kind == LoadBalancerKind.MetalLb;
        var foreign = snapshot.KindClusters.Where(cluster => IsForeign(cluster, snapshot, states)).ToList();
        var settled = (kept?.Clusters ?? []).Where(cluster => !hasPools || cluster.LoadBalancerPool.Count > 0)
            .Select(cluster => cluster.Cluster.Value).Except(foreign).ToHashSet();
        var wanted = topology.Clusters.Select(cluster => cluster.Name.Value).ToList();
        var asked = wanted.TrueForAll(settled.Contains) ? foreign.Intersect(wanted) : foreign;
        return await Task.WhenAll(asked.Select(ReadAsync)).ConfigureAwait(false);
        async Task<FoundAddresses> ReadAsync(string cluster)
        {
            if (snapshot.NodesOf(cluster)
                .FirstOrDefault(node => node is { IsRunning: true, KindRole: NodeNames.ControlPlane }) is not { } node)
                return new FoundAddresses { Cluster = cluster };
            // A foreign node that does not answer must not block the creation of our clusters. If the pools cannot be read, there is no
            // MetalLB, or no running API server, and so nothing that assigns addresses.
            var manifests = engine.TryReadAsync(node.Name, Manifests, cancellationToken);
            var pools = hasPools ? await engine.TryReadAsync(node.Name, Pools, cancellationToken).ConfigureAwait(false) : null;
            return FoundAddresses.Read(cluster, await manifests.ConfigureAwait(false) ?? "", pools ?? "", MetalLbObjects.PoolName);
        }
    }

    private static bool IsForeign(string cluster, EngineSnapshot snapshot, KindStates states)
    {
        try
        {
            return !ClusterName.TryParse(cluster, out var name)
                || KindOwnership.WhyForeign(states.Read(name), snapshot.NodesOf(cluster), toRemove: false) is not null;
        }
        catch (MeshTrustException)
        {
            // An unreadable state does not prove ownership; if it matters, it is reported with the verdict on its cluster.
            return true;
        }
    }
}
