using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>
/// Checks that the clusters of a mesh and the settings of kind clusters fit together, which no single value shows. With
/// <see cref="ProviderChoice.Auto"/>, the kind rules apply only if some kind setting is given; the address planner checks again.
/// </summary>
internal sealed class TopologyValidator(MeshTopology topology, Func<int, string, string> place)
{
    private readonly List<Problem> _problems = [];
    private readonly IReadOnlyList<ClusterSpec> _clusters = topology.Clusters;

    /// <summary>All problems, in the order of the clusters; empty if the topology is valid.</summary>
    /// <param name="topology">The topology, from a file, from arguments or made in code.</param>
    /// <param name="place">Where a key (<c>name</c>, <c>podSubnet</c>, …) of the n-th cluster is; null names the cluster.</param>
    /// <param name="kindPlace">Where a key (<c>ipFamily</c>, …) or an argument of kind clusters is; null names it.</param>
    public static IReadOnlyList<Problem> Validate(
        MeshTopology topology, Func<int, string, string>? place = null, Func<string, string>? kindPlace = null)
    {
        if (topology.Clusters.Count == 0) return [new Problem("MT0121", "clusters", "The topology has no clusters.", "Add at least one.")];
        place ??= (index, _) => topology.Clusters[index].Name.Value;
        var validator = new TopologyValidator(topology, place);
        validator.Names();
        validator.References("primary", c => c.Primary);
        validator.References("config", c => c.Config);
        validator.Overlaps();
        validator.Contexts();
        if (!validator.IsForKind) return validator._problems;
        return [.. validator._problems, .. new KindRules(topology, place, kindPlace ?? (key => key)).Check()];
    }

    // With auto, check kind settings only if the user gave any.
    private bool IsForKind => topology.Provider switch
    {
        ProviderChoice.Kind => true,
        ProviderChoice.Auto => !_clusters.All(HasPlace)
            && (topology.Kind != KindSpec.Default || _clusters.Any(c => c.Kind != KindClusterSpec.Default)),
        _ => false,
    };

    private void Names()
    {
        var first = new Dictionary<ClusterName, int>();
        foreach (var (i, cluster) in _clusters.Index())
        {
            if (first.TryAdd(cluster.Name, i)) continue;
            var what = $"The cluster name \"{cluster.Name}\" is already used by cluster number {first[cluster.Name] + 1}.";
            Wrong("MT0111", i, "name", what, "Give each cluster a unique name.");
        }
    }

    private void References(string key, Func<ClusterSpec, ClusterName?> target)
    {
        var byName = new Dictionary<ClusterName, ClusterSpec>();
        foreach (var cluster in _clusters) byName.TryAdd(cluster.Name, cluster);
        var inCycle = new HashSet<ClusterName>();
        foreach (var (i, cluster) in _clusters.Index())
        {
            if (target(cluster) is not { } name || name == cluster.Name) continue;
            if (!byName.TryGetValue(name, out var other))
            {
                var nearest = NearestName.Find(name.Value, byName.Keys.Select(n => n.Value));
                var names = string.Join(", ", byName.Keys.Take(8)) + (byName.Count > 8 ? ", …" : "");
                var remedy = nearest is null ? $"Use one of {names}." : $"Did you mean {nearest}? Known clusters: {names}.";
                Wrong("MT0112", i, key, $"The {key} \"{name}\" of {cluster.Name} is not a cluster in this topology.", remedy);
            }
            else if (Cycle(cluster, byName, target) is { } cycle)
            {
                if (!cycle.Any(inCycle.Add)) continue;
                inCycle.UnionWith(cycle);
                var circle = string.Join(" → ", cycle.Append(cycle[0]).Take(8));
                Wrong("MT0113", i, key, $"The {key} references form a cycle: {circle}.", $"Make one of them its own {key}.");
            }
            else if (!inCycle.Contains(name) && target(other) is { } further && further != other.Name && byName.ContainsKey(further))
            {
                var what = $"{name} is the {key} of {cluster.Name}, but uses {further} as its own {key}.";
                Wrong("MT0124", i, key, what, $"Use {further} directly: a {key} must be its own {key}.");
            }
        }
    }

    /// <summary>The cycle that a cluster is part of, or null.</summary>
    private static List<ClusterName>? Cycle(
        ClusterSpec start, Dictionary<ClusterName, ClusterSpec> byName, Func<ClusterSpec, ClusterName?> target)
    {
        var passed = new List<ClusterName>();
        var seen = new HashSet<ClusterName>();
        for (var at = start; at is not null && seen.Add(at.Name); at = byName.GetValueOrDefault(target(at)!))
        {
            passed.Add(at.Name);
            if (target(at) is not { } next || next == at.Name) return null;
            if (next == start.Name) return passed;
        }
        return null;
    }

    private void Overlaps()
    {
        foreach (var group in _clusters.SelectMany(Claims).GroupBy(c => (c.Scope, c.Range.Family)))
        {
            Claim? widest = null;
            foreach (var claim in group.OrderBy(c => c.Range.FirstNumber).ThenBy(c => c.Index))
            {
                if (widest is not null && claim.Range.FirstNumber <= widest.Range.LastNumber)
                {
                    var (later, earlier) = claim.Index >= widest.Index ? (claim, widest) : (widest, claim);
                    var owner = _clusters[earlier.Index].Name;
                    var whose = later.Index == earlier.Index ? "the same cluster" : $"{owner}, which is in the same network";
                    var what = $"The {later} of {_clusters[later.Index].Name} overlaps the {earlier} of {whose}.";
                    Wrong("MT0114", later.Index, later.Key, what, "Use ranges that do not overlap.");
                }
                if (widest is null || claim.Range.LastNumber > widest.Range.LastNumber) widest = claim;
            }
        }
    }

    /// <summary>
    /// The ranges a cluster uses. Clusters without an Istio network share Istio's default one, and all load balancers are on one container
    /// network.
    /// </summary>
    private static IEnumerable<Claim> Claims(ClusterSpec cluster, int index)
    {
        var network = $"network {cluster.Network}";
        return
        [
            .. cluster.PodSubnets.Select(n => new Claim(index, "podSubnet", $"podSubnet {n}", network, IpRange.Of(n))),
            .. cluster.ServiceSubnets.Select(n => new Claim(index, "serviceSubnet", $"serviceSubnet {n}", network, IpRange.Of(n))),
            .. cluster.Kind.LoadBalancerPool.Select(p => new Claim(index, "loadBalancer", $"load balancer's pool {p}", "containers", p)),
        ];
    }

    private void Contexts()
    {
        if (topology.Provider is ProviderChoice.Kind or ProviderChoice.Embedded or ProviderChoice.Native) return;
        var first = new Dictionary<(string?, string?), int>();
        var isExisting = topology.Provider == ProviderChoice.Existing;
        var isMeant = isExisting || _clusters.Any(HasPlace);
        foreach (var (i, cluster) in _clusters.Index())
        {
            if (!HasPlace(cluster))
            {
                if (!isMeant) continue;
                var what = $"{cluster.Name} has no context, but {(isExisting ? "the provider is existing" : "other clusters have one")}.";
                const string Or = "or use a provider that creates clusters, such as --provider=kind or --provider=embedded.";
                Wrong("MT0122", i, "name", what, $"Set CTX_CLUSTER{i + 1} or context in the file, {Or}");
            }
            else if (!first.TryAdd((cluster.Context, cluster.Kubeconfig), i))
            {
                var what = $"{cluster.Name} has the same context as {_clusters[first[(cluster.Context, cluster.Kubeconfig)]].Name}.";
                Wrong("MT0125", i, cluster.Context is null ? "kubeconfig" : "context", what, "Give each cluster its own context.");
            }
        }
    }

    private static bool HasPlace(ClusterSpec cluster) => cluster.Context is not null || cluster.Kubeconfig is not null;

    private void Wrong(string id, int cluster, string key, string what, string remedy) =>
        _problems.Add(new Problem(id, place(cluster, key), what, remedy));

    private sealed record Claim(int Index, string Key, string Noun, string Scope, IpRange Range)
    {
        public override string ToString() => Noun;
    }
}
