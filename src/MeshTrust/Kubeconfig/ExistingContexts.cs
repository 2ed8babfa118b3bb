using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>Finds the context of each cluster, and tells all that is missing at once.</summary>
internal static class ExistingContexts
{
    internal static IReadOnlyList<ExistingContext> Choose(IReadOnlyList<ClusterSpec> clusters, IReadOnlyList<string> userKubeconfigs, Func<string, byte[]?> readFile)
    {
        var documents = new Dictionary<string, KubeconfigDocument?>(StringComparer.Ordinal);
        var problems = new List<Problem>();
        var chosen = clusters.Select(c => Choose(c, userKubeconfigs, documents, readFile, problems)).OfType<ExistingContext>().ToList();
        problems.AddRange(chosen.GroupBy(c => (c.Source, c.Context.Name)).Where(g => g.Count() > 1).Select(SameContext));
        if (problems.Count > 0) throw new MeshTrustException(Stage.Contexts, problems);
        var clashes = chosen.GroupBy(c => c.Context.Name).Where(g => g.Count() > 1).Select(g => g.Key).ToHashSet();
        // Contexts of the same name from different files cannot stand in one kubeconfig: these take the cluster's name.
        return [.. chosen.Select(c => c with { Document = Own(c, clashes.Contains(c.Context.Name)) })];
    }

    private static KubeconfigDocument Own(ExistingContext chosen, bool rename)
    {
        var document = chosen.Document.NameEntries(chosen.Cluster.Value);
        return rename ? document.RenameContext(chosen.Context.Name, chosen.Cluster.Value) : document;
    }

    private static ExistingContext? Choose(
        ClusterSpec cluster, IReadOnlyList<string> userKubeconfigs, Dictionary<string, KubeconfigDocument?> documents, Func<string, byte[]?> readFile, List<Problem> problems)
    {
        IReadOnlyList<string> paths = cluster.Kubeconfig is { } own ? [own] : userKubeconfigs;
        var source = string.Join(Path.PathSeparator, paths);
        if (!documents.TryGetValue(source, out var document))
            documents[source] = document = Collected(() => KubeconfigDocument.Load(paths), problems);
        if (document is null) return null;
        // A file that is named for one cluster speaks for itself, as Istio reads meta.kubeconfig; the user's own current-context never decides.
        var name = cluster.Context ?? (cluster.Kubeconfig is null ? null : document.Contexts.Count == 1 ? document.Contexts[0] : document.CurrentContext);
        if (name is null || !document.Contexts.Contains(name))
        {
            problems.Add(Missing(cluster, name, document, source));
            return null;
        }
        return Collected(() => new ExistingContext(cluster.Name, document.Describe(name), document.Subset(name, readFile), source), problems);
    }

    private static T? Collected<T>(Func<T> read, List<Problem> problems) where T : class
    {
        try
        {
            return read();
        }
        catch (MeshTrustException e)
        {
            problems.AddRange(e.Problems.Except(problems));
            return null;
        }
    }

    private static Problem Missing(ClusterSpec cluster, string? name, KubeconfigDocument document, string source)
    {
        var near = KnownContexts.Nearest(document.Contexts, name ?? cluster.Name.Value);
        return new Problem(document.Contexts.Count == 0 ? "MT0205" : name is null ? "MT0214" : "MT0206", cluster.Name.Value,
            $"{(name is null ? "No context is named for this cluster" : $"Its context '{name}' is not in the kubeconfig")} ({source}). {KnownContexts.Describe(document)}",
            document.Contexts.Count == 0
                ? "Log in to a cluster first, or take the provider 'embedded', which needs none."
                : $"Set CTX_CLUSTERn (n is its place in the topology) or 'context' in the topology file{(near is null ? "." : $", for instance to '{near}'.")}");
    }

    private static Problem SameContext(IGrouping<(string Source, string Name), ExistingContext> group) => new("MT0217", group.Key.Name,
        $"The clusters {string.Join(" and ", group.Select(c => $"'{c.Cluster}'"))} use the same context '{group.Key.Name}': they are one cluster.",
        "Give each cluster of the topology a context of its own.");
}
