using System.Net;
using System.Net.Sockets;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>
/// Pod, service and load-balancer addresses of all clusters at once: they clash with nothing that is known. The rules are in
/// docs/addresses.md.
/// </summary>
internal sealed record AddressPlan
{
    private readonly AddressLock _lock = new();

    private AddressPlan()
    {
    }

    public required IReadOnlyList<ClusterAddresses> Clusters { get; init; }

    /// <summary>What does not stop a run, such as a VPN that takes all traffic.</summary>
    public IReadOnlyList<Problem> Warnings { get; init; } = [];

    /// <summary>
    /// The clusters of the topology that are not ours and are to be taken over, as they were found; their ranges are in the plan where the
    /// topology names no others.
    /// </summary>
    public IReadOnlyList<FoundAddresses> TakenOver { get; init; } = [];

    /// <summary>Whether the nodes' network was there, or its ranges are given: only then are there load-balancer pools.</summary>
    public required bool HasNetwork { get; init; }

    public static AddressPlan For(MeshTopology topology, EngineSnapshot snapshot, AddressLock? kept,
        IReadOnlyList<FoundAddresses>? found = null, bool adopts = false)
    {
        found ??= [];
        var ours = topology.Clusters.Select(c => c.Name.Value).ToHashSet();
        List<FoundAddresses> takenOver = adopts ? [.. found.Where(f => ours.Contains(f.Cluster))] : [];
        var foreign = found.Except(takenOver).ToList();
        kept = WithTakenOver(kept ?? new AddressLock(), takenOver);
        var there = snapshot.KindClusters.ToHashSet();
        var others = kept.Clusters.Where(c => !ours.Contains(c.Cluster.Value) && there.Contains(c.Cluster.Value)
            && !foreign.Exists(f => f.Cluster == c.Cluster.Value)).ToList();
        List<AddressClaim> foreignPools =
            [.. foreign.SelectMany(f => f.LoadBalancerPool.Concat(f.FurtherPools).Select(p => PoolClaim(f, p))),
            .. takenOver.SelectMany(f => f.FurtherPools.Select(p => PoolClaim(f, p)))];
        var problems = new List<Problem>();
        // Of a cluster whose ranges nobody could read, those are taken that kind gives to one that names none.
        HashSet<string> known = [.. ours, .. others.Select(o => o.Cluster.Value),
            .. foreign.Where(f => f.HasRanges).Select(f => f.Cluster)];
        var occupied = new OccupiedAddresses(snapshot, known,
            [.. others.SelectMany(SubnetClaims), .. foreign.SelectMany(SubnetClaims), .. foreignPools]);
        problems.AddRange(Vpns(occupied));
        var uses = SubnetPlanning.Plan(topology, occupied, kept, there, problems);
        var subnets = NetworkRanges(topology, snapshot, occupied, problems);
        var pools = subnets is null || topology.Kind.LoadBalancer.Kind != LoadBalancerKind.MetalLb
            ? [.. topology.Clusters.Select(_ => Array.Empty<IpRange>())]
            : PoolPlanning.Plan(topology, PoolPlanning.Spaces(topology, snapshot, subnets,
                [.. others.SelectMany(PoolClaims), .. foreignPools]), kept, there, problems);
        if (problems.Where(p => p.Severity == Severity.Error).ToList() is { Count: > 0 } errors)
            throw new MeshTrustException(Stage.Preflight, errors);

        var clusters = topology.Clusters.Select((c, i) => new ClusterAddresses
        {
            Cluster = c.Name,
            PodSubnets = [.. uses.Where(u => u.Cluster == i && u.Key == SubnetUse.Pods).OrderBy(u => u.Family).Select(u => u.Range)],
            ServiceSubnets = [.. uses.Where(u => u.Cluster == i && u.Key == SubnetUse.Services).OrderBy(u => u.Family)
                .Select(u => u.Range)],
            LoadBalancerPool = pools[i],
            Asked = Asked(topology, i, uses, pools[i], kept),
        }).ToList();
        return new AddressPlan { Clusters = clusters, Warnings = problems, HasNetwork = subnets is not null, TakenOver = takenOver,
            Lock = ToLock(topology, clusters, kept, others, subnets is not null) };
    }

    /// <summary>What is kept for the next run: these clusters, and those of the last run that still have a node.</summary>
    public AddressLock ToLock() => _lock;

    private AddressLock Lock
    {
        init => _lock = value;
    }

    /// <summary>What is kept, as if the clusters that are taken over had their addresses from here.</summary>
    private static AddressLock WithTakenOver(AddressLock kept, IReadOnlyList<FoundAddresses> takenOver) =>
        takenOver.Where(found => found.HasRanges).Aggregate(kept, (all, found) =>
    {
        var name = ClusterName.Parse(found.Cluster);
        return all.Without(name) with
        {
            Clusters =
            [
                .. all.Without(name).Clusters,
                new ClusterAddresses { Cluster = name, PodSubnets = found.PodSubnets, ServiceSubnets = found.ServiceSubnets,
                    LoadBalancerPool = found.LoadBalancerPool, Asked = [SubnetUse.Pods, SubnetUse.Services] },
            ],
        };
    });

    private static List<string> Asked(MeshTopology topology, int index, IReadOnlyList<SubnetUse> uses, IReadOnlyList<IpRange> pool,
        AddressLock kept)
    {
        var cluster = topology.Clusters[index];
        List<string> keys = [.. uses.Where(u => u.Cluster == index && u.IsAsked).Select(u => u.Key).Distinct()];
        var isPinned = cluster.Kind.LoadBalancerPool.Count > 0 || topology.Kind.LoadBalancer.IpSpace is not null;
        if (isPinned || (kept.WasAsked(cluster.Name, AddressLock.Pool) && pool.SequenceEqual(kept.Of(cluster.Name)!.LoadBalancerPool)))
            keys.Add(AddressLock.Pool);
        return keys;
    }

    private static AddressLock ToLock(MeshTopology topology, List<ClusterAddresses> clusters, AddressLock kept,
        List<ClusterAddresses> others, bool hasNetwork)
    {
        // Where no pool was planned, an earlier one is not forgotten for that.
        var isPlanned = hasNetwork && topology.Kind.LoadBalancer.Kind == LoadBalancerKind.MetalLb;
        var kepts = isPlanned ? clusters : clusters.Select(c => c with { LoadBalancerPool = kept.Of(c.Cluster)?.LoadBalancerPool ?? [] });
        return new AddressLock { Clusters = [.. kepts, .. others] };
    }

    private static IEnumerable<AddressClaim> SubnetClaims(ClusterAddresses cluster) =>
        cluster.PodSubnets.Concat(cluster.ServiceSubnets)
            .Select(s => new AddressClaim($"kind cluster \"{cluster.Cluster}\"", IpRange.Of(s)));

    private static IEnumerable<AddressClaim> SubnetClaims(FoundAddresses found) =>
        found.PodSubnets.Concat(found.ServiceSubnets).Select(s => new AddressClaim($"kind cluster \"{found.Cluster}\"", IpRange.Of(s)));

    private static AddressClaim PoolClaim(FoundAddresses found, IpRange pool) => new($"the load balancer of {found.Cluster}", pool);

    private static IEnumerable<AddressClaim> PoolClaims(ClusterAddresses cluster) =>
        cluster.LoadBalancerPool.Select(p => new AddressClaim($"the pool {p} of {cluster.Cluster}, which is not in this topology", p));

    private static IEnumerable<Problem> Vpns(OccupiedAddresses occupied) =>
        occupied.Vpns.GroupBy(v => v.Interface).Select(v => new Problem("MT3111", v.Key,
        $"Routes via {v.Key} take all traffic ({string.Join(", ", v.Select(r => r.Range))}), as a VPN does: which addresses lie behind " +
            $"it cannot be known.",
        "Where something behind it cannot be reached from a cluster, set addressing.podBase and addressing.serviceBase to ranges that it " +
            "does not have.",
        Severity.Warning));

    /// <summary>The ranges of the nodes' network: what it has, or is to have; null where only the engine will know.</summary>
    private static IReadOnlyList<EngineSubnet>? NetworkRanges(MeshTopology topology, EngineSnapshot snapshot, OccupiedAddresses occupied,
        List<Problem> problems)
    {
        var wanted = topology.Kind.Network;
        var networks = snapshot.NetworksNamed(wanted.Name);
        if (networks.Count > 1)
        {
            Add("MT3115",
                $"{networks.Count} container networks have this name " +
                $"({string.Join(", ", networks.Select(n => n.Id[..Math.Min(12, n.Id.Length)]))}).",
                $"Remove the one that nothing uses, by its id: {EngineWord(snapshot)} network rm <id>.");
            return null;
        }

        var subnets = networks.Count == 1 ? networks[0].Subnets
            : wanted.Create && wanted.Subnets.Count > 0
                ? [.. wanted.Subnets.Select(s => new EngineSubnet { Range = s,
                IpRange = s.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? wanted.IpRange : null })]
            : null;
        if (subnets is null) return null;
        foreach (var family in SubnetPlanning.Families(topology.Kind.IpFamily)
            .Where(f => !subnets.Any(s => s.Range.BaseAddress.AddressFamily == f)))
        {
            var word = family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
            var isEmpty = networks.Count == 1 && networks[0].Members.Count == 0;
            Add("MT3108", $"The container network has no {word} range, but ipFamily is {SubnetPlanning.Word(topology.Kind.IpFamily)}.",
                networks.Count == 0 ? "Add one to network.subnet." : isEmpty
                    ? $"No container is in it: {EngineWord(snapshot)} network rm {wanted.Name}, and it is made anew."
                    : "Remove the clusters in it and the network, or choose another with --docker-network.");
        }

        foreach (var subnet in subnets)
        {
            var range = IpRange.Of(subnet.Range);
            if (occupied.Routes.FirstOrDefault(r => r.Range.Overlaps(range)) is { } route)
                Add("MT3114", $"The container network {subnet.Range} overlaps {route.Owner}: one of the two cannot be reached.",
                    $"Remove the network and set network.subnet to a range that is free{Free(occupied, range.Family)}.", Severity.Warning);
            if (networks.Count == 0 && occupied.Networks.FirstOrDefault(n => n.Range.Overlaps(range)) is { } network)
                Add("MT3102", $"Its range {subnet.Range} overlaps the {network.Owner}.",
                    $"Set network.subnet to a range that is free{Free(occupied, range.Family)}.");
        }

        return subnets;

        void Add(string id, string what, string remedy, Severity severity = Severity.Error) =>
            problems.Add(new Problem(id, $"network {wanted.Name}", what, remedy, severity));
    }

    private static string Free(OccupiedAddresses occupied, AddressFamily family) =>
        new SubnetSearch(IPNetwork.Parse(family == AddressFamily.InterNetwork ? "10.252.0.0/15" : "fc00:253::/32"),
            family == AddressFamily.InterNetwork ? 22 : 64, 64).Next([.. occupied.All.Select(c => c.Range)]) is { } free
            ? $", such as {free}" : "";

    private static string EngineWord(EngineSnapshot snapshot) => snapshot.Info.Engine == ContainerEngineChoice.Podman ? "podman" : "docker";
}
