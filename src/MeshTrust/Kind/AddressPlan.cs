using System.Net;
using System.Net.Sockets;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>
/// Pod, service and load-balancer addresses of all clusters, planned at once so that they overlap nothing known. The rules are in
/// docs/addresses.md.
/// </summary>
internal sealed record AddressPlan
{
    private AddressPlan() { }

    public required IReadOnlyList<ClusterAddresses> Clusters { get; init; }
    public IReadOnlyList<Problem> Warnings { get; init; } = [];

    /// <summary>
    /// The clusters of the topology that MeshTrust did not create and that are to be adopted, as they were found. The plan uses their
    /// ranges if the topology names no others.
    /// </summary>
    public IReadOnlyList<FoundAddresses> TakenOver { get; init; } = [];

    /// <summary>Whether the nodes' network exists or its ranges are given: only then are load-balancer pools planned.</summary>
    public required bool HasNetwork { get; init; }

    public static AddressPlan For(MeshTopology topology, EngineSnapshot snapshot, AddressLock? kept,
        IReadOnlyList<FoundAddresses>? found = null, bool adopts = false)
    {
        found ??= [];
        var ours = topology.Clusters.Select(c => c.Name.Value).ToHashSet();
        var there = snapshot.KindClusters.ToHashSet();
        List<FoundAddresses> takenOver = adopts ? [.. found.Where(f => ours.Contains(f.Cluster))] : [];
        var foreign = found.Except(takenOver).ToList();
        kept = WithTakenOver(kept ?? new AddressLock(), takenOver);
        var others =
            (from cluster in kept.Clusters
             let name = cluster.Cluster.Value
             where !ours.Contains(name) && there.Contains(name) && !foreign.Exists(f => f.Cluster == name)
             select cluster).ToList();
        List<AddressClaim> foreignPools =
        [
            .. foreign.SelectMany(f => PoolClaims(f, [.. f.LoadBalancerPool, .. f.FurtherPools])),
            .. takenOver.SelectMany(f => PoolClaims(f, f.FurtherPools)),
        ];
        var problems = new List<Problem>();
        // A cluster whose ranges could not be read is assumed to have kind's defaults.
        HashSet<string> known = [.. ours, .. others.Select(o => o.Cluster.Value),
            .. foreign.Where(f => f.HasRanges).Select(f => f.Cluster)];
        var occupied = new OccupiedAddresses(snapshot, known,
        [
            .. others.SelectMany(o => SubnetClaims(o.Cluster.Value, o.PodSubnets, o.ServiceSubnets)),
            .. foreign.SelectMany(f => SubnetClaims(f.Cluster, f.PodSubnets, f.ServiceSubnets)),
            .. foreignPools,
        ]);
        problems.AddRange(Vpns(occupied));
        var uses = SubnetPlanning.Plan(topology, occupied, kept, there, problems);
        var subnets = NetworkRanges(topology, snapshot, occupied, problems);
        var hasPools = subnets is not null && topology.Kind.LoadBalancer.Kind == LoadBalancerKind.MetalLb;
        var pools = hasPools
            ? PoolPlanning.Plan(topology, PoolPlanning.Spaces(topology, snapshot, subnets!,
                [.. others.SelectMany(PoolClaims), .. foreignPools]),
                kept, there, problems)
            : [.. topology.Clusters.Select(_ => Array.Empty<IpRange>())];
        if (problems.Where(p => p.Severity == Severity.Error).ToList() is { Count: > 0 } errors)
            throw new MeshTrustException(Stage.Preflight, errors);

        var clusters = topology.Clusters.Select((c, i) => new ClusterAddresses
        {
            Cluster = c.Name,
            PodSubnets = RangesOf(i, SubnetUse.Pods),
            ServiceSubnets = RangesOf(i, SubnetUse.Services),
            LoadBalancerPool = pools[i],
            Asked = Asked(topology, i, uses, pools[i], kept),
        }).ToList();
        // If no pool was planned, an earlier one is kept.
        var lasting = hasPools ? clusters : clusters.Select(c => c with { LoadBalancerPool = kept.Of(c.Cluster)?.LoadBalancerPool ?? [] });
        return new AddressPlan
        {
            Clusters = clusters,
            Warnings = problems,
            HasNetwork = subnets is not null,
            TakenOver = takenOver,
            Lock = new AddressLock { Clusters = [.. lasting, .. others] },
        };

        List<IPNetwork> RangesOf(int cluster, string key) =>
            [.. uses.Where(u => u.Cluster == cluster && u.Key == key).OrderBy(u => u.Family).Select(u => u.Range)];
    }

    public AddressLock ToLock() => Lock;

    private AddressLock Lock { get; init; } = new();

    /// <summary>The kept addresses, as if adopted clusters had received theirs from this work directory.</summary>
    private static AddressLock WithTakenOver(AddressLock kept, IReadOnlyList<FoundAddresses> takenOver)
    {
        var adopted =
            (from found in takenOver
             where found.HasRanges
             select new ClusterAddresses
             {
                 Cluster = ClusterName.Parse(found.Cluster),
                 PodSubnets = found.PodSubnets,
                 ServiceSubnets = found.ServiceSubnets,
                 LoadBalancerPool = found.LoadBalancerPool,
                 Asked = [SubnetUse.Pods, SubnetUse.Services],
             }).ToList();
        var rest = adopted.Aggregate(kept, (all, one) => all.Without(one.Cluster));
        return rest with { Clusters = [.. rest.Clusters, .. adopted] };
    }

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

    private static IEnumerable<AddressClaim> SubnetClaims(string cluster, IReadOnlyList<IPNetwork> pods,
        IReadOnlyList<IPNetwork> services) =>
        pods.Concat(services).Select(range => new AddressClaim($"kind cluster \"{cluster}\"", IpRange.Of(range)));

    private static IEnumerable<AddressClaim> PoolClaims(FoundAddresses found, IReadOnlyList<IpRange> pools) =>
        pools.Select(pool => new AddressClaim($"the load balancer of {found.Cluster}", pool));

    private static IEnumerable<AddressClaim> PoolClaims(ClusterAddresses cluster) =>
        cluster.LoadBalancerPool.Select(p => new AddressClaim($"the pool {p} of {cluster.Cluster}, which is not in this topology", p));

    private static IEnumerable<Problem> Vpns(OccupiedAddresses occupied) =>
        from vpn in occupied.Vpns.GroupBy(v => v.Interface)
        select new Problem("MT3111", vpn.Key,
            $"Routes via {vpn.Key} capture all traffic ({string.Join(", ", vpn.Select(r => r.Range))}), as a VPN does, so the addresses " +
            "behind it are unknown.",
            "If a cluster cannot reach something behind it, set addressing.podBase and addressing.serviceBase to ranges that the VPN " +
            "does not use.",
            Severity.Warning);

    /// <summary>The current or planned ranges of the nodes' network; null if the engine will choose them.</summary>
    private static IReadOnlyList<EngineSubnet>? NetworkRanges(MeshTopology topology, EngineSnapshot snapshot, OccupiedAddresses occupied,
        List<Problem> problems)
    {
        var wanted = topology.Kind.Network;
        var networks = snapshot.NetworksNamed(wanted.Name);
        if (networks.Count > 1)
        {
            Add(ProblemCodes.NetworkAmbiguous,
                $"{networks.Count} container networks have this name " +
                $"({string.Join(", ", networks.Select(n => n.Id[..Math.Min(12, n.Id.Length)]))}).",
                $"Remove the unused one by its id: {EngineWord(snapshot)} network rm <id>.");
            return null;
        }

        var subnets = networks.Count == 1 ? networks[0].Subnets
            : wanted.Create && wanted.Subnets.Count > 0 ? [.. wanted.Subnets.Select(Planned)]
            : null;
        if (subnets is null) return null;
        var families = subnets.Select(s => s.Range.BaseAddress.AddressFamily);
        foreach (var family in SubnetPlanning.Families(topology.Kind.IpFamily).Except(families))
        {
            var word = SubnetPlanning.Word(family);
            var isEmpty = networks.Count == 1 && networks[0].Members.Count == 0;
            Add(ProblemCodes.NetworkFamilyMissing,
                $"The container network has no {word} range, but ipFamily is {SubnetPlanning.Word(topology.Kind.IpFamily)}.",
                networks.Count == 0 ? "Add one to network.subnet." : isEmpty
                    ? $"No container uses it. Remove it, and the next run recreates it: {EngineWord(snapshot)} network rm {wanted.Name}."
                    : "Remove its clusters and the network, or choose another network with --docker-network.");
        }

        foreach (var subnet in subnets)
        {
            var range = IpRange.Of(subnet.Range);
            if (occupied.Routes.FirstOrDefault(r => r.Range.Overlaps(range)) is { } route)
                Add("MT3114", $"The container network {subnet.Range} overlaps {route.Owner}: one of the two is unreachable.",
                    $"Remove the network and set network.subnet to a free range{Free(occupied, range.Family)}.", Severity.Warning);
            if (networks.Count == 0 && occupied.Networks.FirstOrDefault(n => n.Range.Overlaps(range)) is { } network)
                Add("MT3102", $"Its range {subnet.Range} overlaps the {network.Owner}.",
                    $"Set network.subnet to a free range{Free(occupied, range.Family)}.");
        }

        return subnets;

        EngineSubnet Planned(IPNetwork range) =>
            new() { Range = range, IpRange = range.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? wanted.IpRange : null };

        void Add(string id, string what, string remedy, Severity severity = Severity.Error) =>
            problems.Add(new Problem(id, $"network {wanted.Name}", what, remedy, severity));
    }

    private static string Free(OccupiedAddresses occupied, AddressFamily family)
    {
        var (within, prefix) = family == AddressFamily.InterNetwork ? ("10.252.0.0/15", 22) : ("fc00:253::/32", 64);
        var search = new SubnetSearch(IPNetwork.Parse(within), prefix, 64);
        return search.Next([.. occupied.All.Select(c => c.Range)]) is { } free ? $", such as {free}" : "";
    }

    private static string EngineWord(EngineSnapshot snapshot) => snapshot.Info.Engine == ContainerEngineChoice.Podman ? "podman" : "docker";
}
