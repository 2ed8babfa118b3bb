
namespace MeshTrust.Settings;

/// <summary>Which clusters there are: from arguments, variables and the file.</summary>
internal sealed class ClusterChoice(ArgumentSet given, ProblemCollection problems)
{
    /// <summary>The clusters with their contexts; empty where the file's are all broken.</summary>
    public IReadOnlyList<ClusterSpec> Choose(TopologyDocument? document, IReadOnlyList<string?> contexts)
    {
        var count = given.Read("clusters", ValueReaders.Number(1, ClusterNames.Most));
        var names = given.Read<IReadOnlyList<ClusterName>>("cluster-names", NameReaders.Clusters);
        var clusters = document?.Clusters ?? Named(count, names, contexts.Count, document?.ClusterDefaults ?? KindClusterSpec.Default);
        var isWhole = document is not { IsWhole: false };
        if (document?.Clusters is not null && isWhole) TellContradictions(document.Clusters, count, names);
        if (contexts.Skip(clusters.Count).Any(c => c is not null) && isWhole)
        {
            problems.Add("MT0013", $"CTX_CLUSTER{clusters.Count + 1}", $"It names a context, and there {(clusters.Count == 1 ? "is 1 cluster" : $"are {clusters.Count} clusters")}.", "Unset it, or add the cluster.");
        }

        // One that is wrong stands in as itself, so that nothing more is said of it.
        return [.. clusters.Select((c, i) => i < contexts.Count ? c with { Context = contexts[i] ?? $"CTX_CLUSTER{i + 1}" } : c)];
    }

    private List<ClusterSpec> Named(Given<int>? count, Given<IReadOnlyList<ClusterName>>? names, int contexts, KindClusterSpec hosting)
    {
        if (names is not null && count is { IsArgument: true } && count.Value != names.Value.Count)
        {
            problems.Add("MT0011", count.Location, $"It asks for {count.Value} clusters, and {names.Location} names {names.Value.Count}.", $"Leave {count.Location} out, or name as many.");
        }

        const int Usual = 2;
        var chosen = names?.Value ?? ClusterNames.Numbered(count?.Value ?? (contexts > 0 ? Math.Min(contexts, ClusterNames.Most) : Usual));
        return [.. chosen.Select(n => new ClusterSpec { Name = n, Kind = hosting })];
    }

    // The file says more of each cluster than a number or a name does, so neither may quietly throw that away.
    private void TellContradictions(IReadOnlyList<ClusterSpec> clusters, Given<int>? count, Given<IReadOnlyList<ClusterName>>? names)
    {
        if (count is not null && count.Value != clusters.Count)
        {
            problems.Add("MT0011", count.Location, $"It asks for {count.Value} clusters, and the topology file lists {clusters.Count}.", $"Leave {count.Location} out, or list them in the file.");
        }

        if (names is not null && !names.Value.SequenceEqual(clusters.Select(c => c.Name)))
        {
            problems.Add("MT0011", names.Location, "It names other clusters than the topology file.", $"Leave {names.Location} out, or name them in the file.");
        }
    }
}
