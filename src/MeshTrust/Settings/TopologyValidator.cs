using MeshTrust.IO;


namespace MeshTrust.Settings;

/// <summary>
/// Holds the clusters of a mesh, and what is wanted of kind clusters, against each other: what no single value shows. With
/// <see cref="ProviderChoice.Auto"/> that is done only where something is said of kind clusters; the plan of addresses looks at the ranges
/// again.
/// </summary>
internal static class TopologyValidator
{
    /// <summary>All problems, in the order of the clusters; empty where the topology is sound.</summary>
    /// <param name="topology">The topology, from a file, from arguments or made in code.</param>
    /// <param name="place">Where a key (<c>name</c>, <c>primary</c>, <c>podSubnet</c>, …) of the n-th cluster stands; null names the
    /// cluster.</param>
    /// <param name="kindPlace">Where a key of <see cref="MeshTopology.Kind"/> (<c>ipFamily</c>, <c>loadBalancer.poolSize</c>, …) stands;
    /// null names the key.</param>
    public static IReadOnlyList<Problem> Validate(
        MeshTopology topology, Func<int, string, string>? place = null, Func<string, string>? kindPlace = null)
    {
        var clusters = topology.Clusters;
        if (clusters.Count == 0) return [new Problem("MT0121", "clusters", "The topology has no cluster.", "Name at least one.")];
        place ??= (index, _) => clusters[index].Name.Value;
        return
        [
            .. Names(clusters, place),
            .. References(clusters, place, "primary", c => c.Primary),
            .. References(clusters, place, "config", c => c.Config),
            .. Overlaps(clusters, place),
            .. Contexts(topology, place),
            .. IsForKind(topology) ? KindRules.Check(topology, place, kindPlace ?? (key => key)) : [],
        ];
    }

    private static IEnumerable<Problem> Names(IReadOnlyList<ClusterSpec> clusters, Func<int, string, string> place)
    {
        var first = new Dictionary<ClusterName, int>();
        for (var i = 0; i < clusters.Count; i++)
        {
            if (first.TryAdd(clusters[i].Name, i)) continue;
            yield return new Problem(
                "MT0111",
                place(i, "name"),
                $"The cluster name \"{clusters[i].Name}\" is taken by cluster number {first[clusters[i].Name] + 1}.",
                "Give each cluster its own name.");
        }
    }

    private static IEnumerable<Problem> References(
        IReadOnlyList<ClusterSpec> clusters, Func<int, string, string> place, string key, Func<ClusterSpec, ClusterName?> target)
    {
        var byName = new Dictionary<ClusterName, ClusterSpec>();
        foreach (var cluster in clusters) byName.TryAdd(cluster.Name, cluster);
        var inCycle = new HashSet<ClusterName>();
        for (var i = 0; i < clusters.Count; i++)
        {
            var cluster = clusters[i];
            if (target(cluster) is not { } name || name == cluster.Name) continue;
            if (!byName.TryGetValue(name, out var other))
            {
                var nearest = NearestName.Find(name.Value, byName.Keys.Select(n => n.Value));
                var names = string.Join(", ", byName.Keys.Take(8)) + (byName.Count > 8 ? ", …" : "");
                yield return new Problem(
                    "MT0112",
                    place(i, key),
                    $"The {key} \"{name}\" of {cluster.Name} is no cluster of this topology.",
                    nearest is null ? $"Name one of {names}." : $"Did you mean {nearest}? There are {names}.");
            }
            else if (Cycle(cluster, byName, target) is { } cycle)
            {
                if (!cycle.Any(inCycle.Add)) continue;
                inCycle.UnionWith(cycle);
                yield return new Problem(
                    "MT0113",
                    place(i, key),
                    $"The {key} goes round in a circle: {string.Join(" → ", cycle.Append(cycle[0]).Take(8))}.",
                    $"Let one of them be its own {key}.");
            }
            else if (!inCycle.Contains(name) && target(other) is { } further && further != other.Name && byName.ContainsKey(further))
            {
                yield return new Problem(
                    "MT0124",
                    place(i, key),
                    $"The {key} {name} of {cluster.Name} itself names {further} as its {key}.",
                    $"Name {further} directly: a {key} serves itself.");
            }
        }
    }

    /// <summary>The circle that a cluster is itself a part of, or null.</summary>
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
            if (!byName.ContainsKey(next)) return null;
        }

        return null;
    }

    private static IEnumerable<Problem> Overlaps(IReadOnlyList<ClusterSpec> clusters, Func<int, string, string> place)
    {
        var claims = clusters.SelectMany(Claims).ToList();
        foreach (var group in claims.GroupBy(c => (c.Room, c.Range.Family)))
        {
            Claim? widest = null;
            foreach (var claim in group.OrderBy(c => c.Range.FirstNumber).ThenBy(c => c.Index))
            {
                if (widest is not null && claim.Range.FirstNumber <= widest.Range.LastNumber)
                {
                    var (later, earlier) = claim.Index >= widest.Index ? (claim, widest) : (widest, claim);
                    var whose = later.Index == earlier.Index ? "the same cluster" : $"{clusters[earlier.Index].Name}, which is in the same network";
                    yield return new Problem(
                        "MT0114",
                        place(later.Index, later.Key),
                        $"The {later.Noun} {later.Text} of {clusters[later.Index].Name} overlaps the {earlier.Noun} {earlier.Text} of {whose}.",
                        "Give each its own range.");
                }

                if (widest is null || claim.Range.LastNumber > widest.Range.LastNumber) widest = claim;
            }
        }
    }

    /// <summary>
    /// What a cluster claims: clusters without an Istio network share Istio's default one, and the load balancers of all are on one
    /// container network.
    /// </summary>
    private static IEnumerable<Claim> Claims(ClusterSpec cluster, int index)
    {
        var network = $"network {cluster.Network}";
        return
        [
            .. cluster.PodSubnets.Select(n => new Claim(index, "podSubnet", $"{n}", "podSubnet", network, IpRange.Of(n))),
            .. cluster.ServiceSubnets.Select(n => new Claim(index, "serviceSubnet", $"{n}", "serviceSubnet", network, IpRange.Of(n))),
            .. cluster.Kind.LoadBalancerPool.Select(p => new Claim(index, "loadBalancer", $"{p}", "load balancer's pool", "containers", p)),
        ];
    }

    private static IEnumerable<Problem> Contexts(MeshTopology topology, Func<int, string, string> place)
    {
        if (topology.Provider is ProviderChoice.Kind or ProviderChoice.Embedded or ProviderChoice.Native) yield break;
        var clusters = topology.Clusters;
        var first = new Dictionary<(string?, string?), int>();
        var isMeant = topology.Provider == ProviderChoice.Existing || clusters.Any(HasPlace);
        for (var i = 0; i < clusters.Count; i++)
        {
            var cluster = clusters[i];
            if (!HasPlace(cluster))
            {
                if (isMeant)
                {
                    yield return new Problem(
                        "MT0122",
                        place(i, "name"),
                        $"{cluster.Name} names no context, and {(topology.Provider == ProviderChoice.Existing ? "the provider is existing" : "other clusters do")}.",
                        $"Set CTX_CLUSTER{i + 1} or context in the file; or name the provider that makes clusters, such as --provider=kind or --provider=embedded.");
                }
            }
            else if (!first.TryAdd((cluster.Context, cluster.Kubeconfig), i))
            {
                var other = clusters[first[(cluster.Context, cluster.Kubeconfig)]].Name;
                yield return new Problem(
                    "MT0125",
                    place(i, cluster.Context is null ? "kubeconfig" : "context"),
                    $"{cluster.Name} points at the same context as {other}.",
                    "Name the context of another cluster.");
            }
        }
    }

    // Where the machine decides, only a user who says something of kind clusters wants to hear of them.
    private static bool IsForKind(MeshTopology topology) => topology.Provider switch
    {
        ProviderChoice.Kind => true,
        ProviderChoice.Auto => !topology.Clusters.All(HasPlace)
            && (topology.Kind != KindSpec.Default || topology.Clusters.Any(c => c.Kind != KindClusterSpec.Default)),
        _ => false,
    };

    private static bool HasPlace(ClusterSpec cluster) => cluster.Context is not null || cluster.Kubeconfig is not null;

    private sealed record Claim(int Index, string Key, string Text, string Noun, string Room, IpRange Range);
}
