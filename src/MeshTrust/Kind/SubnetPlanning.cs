using System.Net;
using System.Net.Sockets;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>Assigns pod and service ranges to every cluster: those the user named first, then those kept, then free ones.</summary>
internal sealed class SubnetPlanning
{
    private static readonly string[] FreeBases = ["100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15"];
    private static readonly string[] FreeBases6 = ["fd10:10::/32", "fd20:20::/32"];
    private readonly MeshTopology _topology;
    private readonly OccupiedAddresses _occupied;
    private readonly AddressLock _kept;
    private readonly IReadOnlySet<string> _there;
    private readonly List<Problem> _problems;
    private readonly List<SubnetUse> _uses = [];
    private readonly List<IpRange> _taken;
    private readonly List<IpRange> _takenForPods;
    private readonly Dictionary<(string Key, AddressFamily Family), SubnetSearch> _searches = [];

    private SubnetPlanning(MeshTopology topology, OccupiedAddresses occupied, AddressLock kept, IReadOnlySet<string> there,
        List<Problem> problems)
    {
        (_topology, _occupied, _kept, _there, _problems) = (topology, occupied, kept, there, problems);
        _taken = [.. occupied.All.Select(c => c.Range)];
        // Services use a corner of the pods' base; pods avoid it.
        var corners =
            from family in Families(topology.Kind.IpFamily)
            let pods = IpRange.Of(Fresh(SubnetUse.Pods, family).Within)
            let services = IpRange.Of(Fresh(SubnetUse.Services, family).Within)
            where pods.Contains(services) && pods != services
            select services;
        _takenForPods = [.. _taken, .. corners];
    }

    /// <summary>All ranges of all clusters; if there are problems, some are missing.</summary>
    internal static IReadOnlyList<SubnetUse> Plan(MeshTopology topology, OccupiedAddresses occupied, AddressLock kept,
        IReadOnlySet<string> there, List<Problem> problems)
    {
        var planning = new SubnetPlanning(topology, occupied, kept, there, problems);
        for (var i = 0; i < topology.Clusters.Count; i++) planning.TakeAsked(i);
        for (var i = 0; i < topology.Clusters.Count; i++) planning.TakeKept(i);
        for (var i = 0; i < topology.Clusters.Count; i++) planning.TakeFree(i);
        return planning._uses;
    }

    internal static IReadOnlyList<AddressFamily> Families(IpFamily family) => family switch
    {
        IpFamily.IPv4 => [AddressFamily.InterNetwork],
        IpFamily.IPv6 => [AddressFamily.InterNetworkV6],
        _ => [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6],
    };

    private IEnumerable<(string Key, AddressFamily Family)> Wanted =>
        from key in new[] { SubnetUse.Pods, SubnetUse.Services }
        from family in Families(_topology.Kind.IpFamily)
        select (key, family);

    private void TakeAsked(int index)
    {
        var cluster = _topology.Clusters[index];
        foreach (var (key, ranges) in new[] { (SubnetUse.Pods, cluster.PodSubnets), (SubnetUse.Services, cluster.ServiceSubnets) })
        {
            foreach (var range in ranges)
            {
                var use = new SubnetUse(index, key, range, IsAsked: true);
                var family = Word(_topology.Kind.IpFamily);
                if (!Wanted.Contains((key, use.Family)))
                    Add("MT3107", cluster, $"{key} {range} does not match ipFamily {family}.", "Change one of the two.");
                else if (Has(index, (key, use.Family)))
                    Add("MT3107", cluster, $"{key} {range} is the second range of one family.", "Remove one of them.");
                else
                    Take(use);
            }
        }
    }

    private void Take(SubnetUse use)
    {
        var cluster = _topology.Clusters[use.Cluster];
        if (use.WrongSize(Nodes(_topology, cluster)) is { } wrong)
            Add("MT3110", cluster, $"Kubernetes does not accept {use.Key} {use.Range}.", wrong);
        foreach (var other in _uses.Where(o => Clash(o, use)))
        {
            if (other.Cluster == use.Cluster)
                Add("MT3105", cluster, $"{use.Key} {use.Range} overlaps {other.Key} {other.Range} of the same cluster.", Suggest(use));
            else
                Add("MT3101", cluster, $"{use.Key} {use.Range} overlaps {Described(other)}, and {Why}.", Suggest(use));
        }

        if (Foreign(use) is { } clash) Add(clash.Id, cluster, clash.Message, Suggest(use));
        Remember(use);
    }

    private void TakeKept(int index)
    {
        var cluster = _topology.Clusters[index];
        if (_kept.Clusters.FirstOrDefault(c => c.Cluster == cluster.Name) is not { } kept) return;
        var isThere = _there.Contains(cluster.Name.Value);
        foreach (var (key, family) in Wanted.Where(w => !Has(index, w)))
        {
            var ranges = RangesOf(kept, key).Where(s => s.BaseAddress.AddressFamily == family).ToList();
            if (ranges.Count == 0) continue;
            var range = ranges[0];
            var wasAsked = _kept.WasAsked(cluster.Name, key);
            var use = new SubnetUse(index, key, range, wasAsked);
            var search = Search(key, family);
            var isOurs = range.PrefixLength == search.Prefix && IpRange.Of(search.Within).Contains(use.Addresses);
            if (!(wasAsked ? isThere : isOurs)) continue;
            var other = _uses.FirstOrDefault(o => Clash(o, use) || !isThere && o.Addresses.Overlaps(use.Addresses));
            var clash = other is null ? Foreign(use)?.Message : $"{key} {range} overlaps {Described(other)}.";
            if (clash is not null && !isThere)
            {
                Add("MT3113", cluster, $"{clash} An earlier run assigned the range.",
                    "The cluster does not exist yet and gets a new range.", Severity.Warning);
                continue;
            }

            // A running cluster cannot change its ranges.
            if (other is null && clash is not null)
            {
                Add("MT3112", cluster, clash,
                    "The cluster runs and keeps it. If this makes addresses unreachable, recreate the cluster with --force: that " +
                    "deletes everything in it.", Severity.Warning);
            }
            else if (other is not null && IsKept(other))
            {
                var without = _topology.Kind.Routes == RouteScope.All ? " without routes: all" : "";
                Add("MT3101", cluster, $"{key} {range} overlaps {Described(other)}, both clusters exist, and {Why}.",
                    $"Put the two in different networks{without}, or set another {key} for one of them and recreate it with --force: " +
                    "that deletes everything in it.");
            }
            else if (other is not null)
            {
                Add("MT3101", _topology.Clusters[other.Cluster],
                    $"{other.Key} {other.Range} overlaps the {key} {range} of {cluster.Name}, which is running, and {Why}.",
                    Suggest(other));
            }

            Remember(use);
        }
    }

    private void TakeFree(int index)
    {
        var cluster = _topology.Clusters[index];
        foreach (var (key, family) in Wanted.Where(w => !Has(index, w)))
        {
            var search = Search(key, family);
            if (search.Next(TakenFor(key)) is { } range)
            {
                var use = new SubnetUse(index, key, range, false);
                if (use.WrongSize(Nodes(_topology, cluster)) is { } wrong)
                    Add("MT3110", cluster, $"Kubernetes does not accept {key} {range}.", $"{wrong} Change {Setting(key, family)}.");
                Remember(use);
            }
            else
            {
                var owner = _occupied.All.FirstOrDefault(c => c.Range.Overlaps(IpRange.Of(search.Within)))?.Owner;
                var shared = owner is null ? "" : $", which overlaps {owner}";
                Add("MT3106", cluster, $"No free /{search.Prefix} for {key} is left in {search.Within}{shared}.",
                    $"Set {Setting(key, family)} to a free range{FreeBase(family)}.");
            }
        }
    }

    /// <summary>Whether an existing cluster has this range, and the topology does not name it now.</summary>
    private bool IsKept(SubnetUse use) => _there.Contains(_topology.Clusters[use.Cluster].Name.Value)
        && _kept.Of(_topology.Clusters[use.Cluster].Name) is { } kept
        && RangesOf(kept, use.Key).Contains(use.Range);

    private static IReadOnlyList<IPNetwork> RangesOf(ClusterAddresses addresses, string key) =>
        key == SubnetUse.Pods ? addresses.PodSubnets : addresses.ServiceSubnets;

    private string Described(SubnetUse use) => $"the {use.Key} {use.Range} of {_topology.Clusters[use.Cluster].Name}";

    private bool Has(int index, (string Key, AddressFamily Family) wanted) =>
        _uses.Any(u => u.Cluster == index && u.Key == wanted.Key && u.Family == wanted.Family);

    private void Remember(SubnetUse use)
    {
        _uses.Add(use);
        _taken.Add(use.Addresses);
        _takenForPods.Add(use.Addresses);
    }

    /// <summary>
    /// Whether two ranges cannot coexist: those of clusters with routes between them, or of one Istio network.
    /// </summary>
    private bool Clash(SubnetUse one, SubnetUse other) =>
        one.Addresses.Overlaps(other.Addresses) && (one.Cluster == other.Cluster || _topology.Kind.Routes == RouteScope.All
            || (_topology.Clusters[one.Cluster].Network ?? "") == (_topology.Clusters[other.Cluster].Network ?? ""));

    private string Why => _topology.Kind.Routes == RouteScope.All ? "there are routes between all clusters" : "both are in one network";

    private (string Id, string Message)? Foreign(SubnetUse use)
    {
        var its = $"{use.Key} {use.Range}";
        if (_occupied.Networks.FirstOrDefault(c => c.Range.Overlaps(use.Addresses)) is { } network)
        {
            return use.Key == SubnetUse.Services && network.Range == use.Addresses
                ? ("MT3104", $"{its} equals the {network.Owner}: Services must not share the nodes' addresses.")
                : ("MT3102", $"{its} overlaps the {network.Owner}.");
        }

        if (_occupied.Routes.FirstOrDefault(c => c.Range.Overlaps(use.Addresses)) is { } route)
            return ("MT3103", $"{its} overlaps {route.Owner}.");
        return OccupiedAddresses.Unusable.FirstOrDefault(c => c.Range.Overlaps(use.Addresses)) is { } unusable
            ? ("MT3110", $"{its} overlaps addresses that a cluster cannot use ({unusable.Owner}).") : null;
    }

    private string Suggest(SubnetUse use)
    {
        var search = Fresh(use.Key, use.Family);
        return search.Next(TakenFor(use.Key)) is { } free ? $"Use a free range such as {free}, or remove {use.Key}: it is then planned."
            : "Choose a free range.";
    }

    private List<IpRange> TakenFor(string key) => key == SubnetUse.Pods ? _takenForPods : _taken;

    private SubnetSearch Search(string key, AddressFamily family)
    {
        if (!_searches.TryGetValue((key, family), out var search)) _searches[(key, family)] = search = Fresh(key, family);
        return search;
    }

    private SubnetSearch Fresh(string key, AddressFamily family)
    {
        var addressing = _topology.Kind.Addressing;
        var (within, prefix) = (key, family) switch
        {
            (SubnetUse.Pods, AddressFamily.InterNetwork) => (addressing.PodBase, addressing.PodPrefix),
            (_, AddressFamily.InterNetwork) => (addressing.ServiceBase, addressing.ServicePrefix),
            (SubnetUse.Pods, _) => (addressing.PodBase6, 56),
            _ => (addressing.ServiceBase6, 112),
        };
        return new SubnetSearch(within, prefix, addressing.PodStep);
    }

    private string FreeBase(AddressFamily family)
    {
        var bases = family == AddressFamily.InterNetwork ? FreeBases : FreeBases6;
        return Array.Find(bases, text => !_taken.Any(IpRange.Parse(text).Overlaps)) is { } free ? $", such as {free}" : "";
    }

    private static string Setting(string key, AddressFamily family) =>
        $"addressing.{(key == SubnetUse.Pods ? "podBase" : "serviceBase")}{(family == AddressFamily.InterNetwork ? "" : "6")}";

    internal static string Word(IpFamily family) => family switch { IpFamily.IPv4 => "ipv4", IpFamily.IPv6 => "ipv6", _ => "dual" };
    internal static string Word(AddressFamily family) => family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";

    /// <summary>How many nodes a cluster gets, without a load balancer in front of its control planes.</summary>
    internal static int Nodes(MeshTopology topology, ClusterSpec cluster) => cluster.Kind.ControlPlanes + Workers(topology, cluster);

    /// <summary>How many workers a cluster gets: ambient needs two unless the user says otherwise.</summary>
    internal static int Workers(MeshTopology topology, ClusterSpec cluster) =>
        cluster.Kind.Workers ?? (topology.Mode == DataPlaneMode.Ambient ? 2 : 0);

    private void Add(string id, ClusterSpec cluster, string what, string remedy, Severity severity = Severity.Error) =>
        _problems.Add(new Problem(id, cluster.Name.Value, what, remedy, severity));
}

/// <summary>One range of one cluster: its use, family, and who chose it.</summary>
internal sealed record SubnetUse(int Cluster, string Key, IPNetwork Range, bool IsAsked)
{
    internal const string Pods = "podSubnet";
    internal const string Services = "serviceSubnet";
    internal IpRange Addresses { get; } = IpRange.Of(Range);
    internal AddressFamily Family => Range.BaseAddress.AddressFamily;

    /// <summary>
    /// Why Kubernetes would not accept the range, as a sentence; null if it does. Sources: kubeadm's and kube-apiserver's own validation.
    /// </summary>
    internal string? WrongSize(int nodes)
    {
        var isV4 = Family == AddressFamily.InterNetwork;
        var prefix = Range.PrefixLength;
        if (Key == Services)
        {
            var (widest, narrowest) = isV4 ? (12, 28) : (108, 124);
            return prefix >= widest && prefix <= narrowest ? null : $"A service range must be between /{widest} and /{narrowest}.";
        }

        // The controller manager assigns each node a /24 or a /64, out of at most 65 536.
        var node = isV4 ? 24 : 64;
        if (prefix < node - 16) return $"A pod range must not be wider than /{node - 16}.";
        if (prefix > node || nodes > 1 << (node - prefix)) return $"The pod range is too small: each of the {nodes} nodes needs a /{node}.";
        return null;
    }
}
