using System.Globalization;
using System.Net.Sockets;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>Assigns load-balancer addresses to every cluster, from the network that all nodes share.</summary>
internal sealed class PoolPlanning
{
    private readonly MeshTopology _topology;
    private readonly AddressLock _kept;
    private readonly IReadOnlySet<string> _there;
    private readonly List<Problem> _problems;
    private readonly IReadOnlyList<PoolSpace> _spaces;
    private readonly List<IpRange>[] _pools;

    private PoolPlanning(MeshTopology topology, IReadOnlyList<PoolSpace> spaces, AddressLock kept, IReadOnlySet<string> there,
        List<Problem> problems)
    {
        (_topology, _spaces, _kept, _there, _problems) = (topology, spaces, kept, there, problems);
        _pools = [.. topology.Clusters.Select(_ => new List<IpRange>())];
    }

    internal static IReadOnlyList<IReadOnlyList<IpRange>> Plan(MeshTopology topology, IReadOnlyList<PoolSpace> spaces, AddressLock kept,
        IReadOnlySet<string> there, List<Problem> problems)
    {
        var planning = new PoolPlanning(topology, spaces, kept, there, problems);
        var pinned = planning.Each(planning.TakePinned);
        foreach (var space in spaces)
        {
            var open = Enumerable.Range(0, topology.Clusters.Count).Where(i => !pinned[i] && !planning.TakeKept(i, space)).ToList();
            planning.TakeFree(open, space);
        }

        return planning._pools;
    }

    /// <summary>The network's ranges of the required families; addresses that members and others use are not assigned.</summary>
    internal static IReadOnlyList<PoolSpace> Spaces(MeshTopology topology, EngineSnapshot snapshot, IReadOnlyList<EngineSubnet> subnets,
        IReadOnlyList<AddressClaim> pools)
    {
        var name = topology.Kind.Network.Name;
        var members =
            (from member in snapshot.NetworksNamed(name).SelectMany(n => n.Members.Select(m => (m.Key, m.Value)))
                 .Concat(snapshot.Containers.Where(c => c.Addresses.ContainsKey(name)).Select(c => (c.Name, c.Addresses[name])))
             from address in member.Item2
             select new AddressClaim($"the container {member.Item1} ({address})", IpRange.Of(address))).Distinct().ToList();
        return
        [
            .. from family in SubnetPlanning.Families(topology.Kind.IpFamily)
               let subnet = subnets.FirstOrDefault(s => s.Range.BaseAddress.AddressFamily == family)
               where subnet is not null
               select new PoolSpace(name, subnet, members, pools),
        ];
    }

    private bool[] Each(Func<int, bool> step) => [.. Enumerable.Range(0, _pools.Length).Select(step)];

    private bool TakePinned(int index)
    {
        var cluster = _topology.Clusters[index];
        var asked = cluster.Kind.LoadBalancerPool;
        if (asked.Count == 0) return _topology.Kind.LoadBalancer.IpSpace is { } space && TakeIpSpace(index, space - index);
        foreach (var pool in asked) Check(index, pool);
        foreach (var missing in _spaces.Where(s => _pools[index].Count > 0 && !_pools[index].Exists(p => p.Family == s.Family)))
        {
            Add("MT4007", cluster,
                $"The load-balancer pools have no {SubnetPlanning.Word(missing.Family)} address, but the cluster is dual-stack.",
                "Services of that family get no address. Add a pool if they need one.", Severity.Warning);
        }

        return true;
    }

    private void Check(int index, IpRange pool)
    {
        var cluster = _topology.Clusters[index];
        if (_spaces.FirstOrDefault(s => s.Holds(pool)) is not { } space)
        {
            var ranges = string.Join(", ", _spaces.Select(s => s.Subnet));
            Add("MT4002", cluster,
                $"Load-balancer pool {pool} is outside the usable addresses of network \"{_topology.Kind.Network.Name}\" ({ranges}).",
                "Choose addresses inside the network, except its first and last, or remove the pool: it is then planned.");
        }
        else if (space.Pool(pool) is { } other)
        {
            Add("MT4005", cluster, $"Load-balancer pool {pool} overlaps {other.Owner}.", "Give each cluster its own pool.");
        }
        else if (space.Member(pool) is { } member)
        {
            Add("MT4003", cluster, $"Load-balancer pool {pool} contains {member.Owner}.", "Exclude that address from the pool.");
        }
        else
        {
            if (space.ForContainers.Overlaps(pool) && _kept.Of(cluster.Name)?.LoadBalancerPool.Contains(pool) != true)
            {
                Add("MT4008", cluster,
                    $"Load-balancer pool {pool} is in the range that the engine assigns to containers ({space.ForContainers}).",
                    "Use addresses from the upper end of the network, or create the network with an ipRange.", Severity.Warning);
            }

            Take(index, space, pool);
        }
    }

    // setupkind.sh creates one cluster per run, each with its own number: further clusters count down from the first one's.
    private bool TakeIpSpace(int index, int number)
    {
        var cluster = _topology.Clusters[index];
        foreach (var space in _spaces)
        {
            var pool = number < 0 ? null : IpSpacePool(space, number);
            if (pool is not null && space.Holds(pool)) Check(index, pool);
            else
            {
                Add("MT4006", cluster, number < 0
                    ? $"--ip-space={_topology.Kind.LoadBalancer.IpSpace} leaves no number for this cluster: each further cluster takes " +
                        "the next lower one."
                    : $"--ip-space={number} means {pool?.ToString() ?? "no pool"}, which is outside the network \"{space.Network}\" " +
                      $"({space.Subnet}).",
                    "Remove --ip-space: the planner then finds free addresses.");
            }
        }

        return true;
    }

    private static IpRange? IpSpacePool(PoolSpace space, int number)
    {
        if (space.Family == AddressFamily.InterNetwork)
        {
            var octets = space.Subnet.BaseAddress.GetAddressBytes();
            return IpRange.Parse(string.Create(CultureInfo.InvariantCulture,
                $"{octets[0]}.{octets[1]}.{number}.200-{octets[0]}.{octets[1]}.{number}.240"));
        }

        // As setupkind.sh writes it: the first four groups, and the number as the seventh, its digits read as hexadecimal.
        var bytes = space.Subnet.BaseAddress.GetAddressBytes();
        var prefix = string.Join(':', Enumerable.Range(0, 4)
            .Select(i => ((bytes[2 * i] << 8) | bytes[(2 * i) + 1]).ToString("x", CultureInfo.InvariantCulture)));
        return IpRange.Parse(string.Create(CultureInfo.InvariantCulture, $"{prefix}::{number}:200-{prefix}::{number}:240"));
    }

    private bool TakeKept(int index, PoolSpace space)
    {
        var cluster = _topology.Clusters[index];
        if (_kept.Of(cluster.Name)?.LoadBalancerPool.FirstOrDefault(p => p.Family == space.Family) is not { } pool) return false;
        var isThere = _there.Contains(cluster.Name.Value);
        var wanted = _topology.Kind.LoadBalancer;
        var fits = pool.Size <= (UInt128)wanted.PoolSize && pool.Size >= (UInt128)wanted.MinPoolSize;
        if (!(_kept.WasAsked(cluster.Name, AddressLock.Pool) ? isThere : fits)) return false;
        var other = space.Pool(pool);
        if (!space.Holds(pool) || other is not null)
        {
            var reason = other is null ? $"is no longer in the network \"{space.Network}\" ({space.Subnet})" : $"overlaps {other.Owner}";
            Add("MT4009", cluster, $"Load-balancer pool {pool} of an earlier run {reason}.",
                "It gets a new pool; its Services get new addresses.", Severity.Warning);
            return false;
        }

        if (space.Member(pool) is { } member)
        {
            Add("MT4009", cluster, $"Load-balancer pool {pool} of an earlier run contains {member.Owner}.",
                isThere ? "The cluster keeps the pool. Restart that container to give it another address."
                    : "It gets a new pool.", Severity.Warning);
            if (!isThere) return false;
        }

        Take(index, space, pool);
        return true;
    }

    private void TakeFree(List<int> open, PoolSpace space)
    {
        if (open.Count == 0) return;
        var wanted = _topology.Kind.LoadBalancer;
        for (var size = wanted.PoolSize; size >= wanted.MinPoolSize; size /= 2)
        {
            if (space.Blocks(open.Count, size) is not { } blocks) continue;
            for (var i = 0; i < open.Count; i++) Take(open[i], space, blocks[i]);
            return;
        }

        _problems.Add(new Problem("MT4004", "load balancers",
            $"{space.Network} network {space.Subnet} cannot hold {open.Count} pools of {wanted.MinPoolSize} addresses; free {space.Free}.",
            $"Recreate it with a /{(space.Family == AddressFamily.InterNetwork ? 24 : 112)} or larger, or use fewer clusters."));
    }

    private void Take(int index, PoolSpace space, IpRange pool)
    {
        _pools[index].Add(pool);
        space.Take(new AddressClaim($"the pool {pool} of {_topology.Clusters[index].Name}", pool));
    }

    private void Add(string id, ClusterSpec cluster, string what, string remedy, Severity severity = Severity.Error) =>
        _problems.Add(new Problem(id, cluster.Name.Value, what, remedy, severity));
}
