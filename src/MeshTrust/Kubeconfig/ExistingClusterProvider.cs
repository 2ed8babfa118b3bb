using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>Clusters that exist already: the user's kubeconfig and contexts. It creates nothing and removes nothing.</summary>
/// <param name="workDirectory">Where MeshTrust's own kubeconfigs go (<c>kubeconfig/&lt;cluster&gt;</c>, mode 0600).</param>
/// <param name="userKubeconfigs">The user's kubeconfig files; the first definition of an entry wins. They are only read.</param>
internal sealed class ExistingClusterProvider(string workDirectory, IReadOnlyList<string> userKubeconfigs) : IClusterProvider
{
    /// <inheritdoc/>
    public ProviderChoice Choice => ProviderChoice.Existing;

    /// <inheritdoc/>
    public Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        cancellationToken.ThrowIfCancellationRequested();
        var directory = Path.Combine(Path.GetFullPath(workDirectory), "kubeconfig");
        var chosen = ChosenContext.Choose(topology.Clusters, userKubeconfigs);
        return Task.FromResult(new ClusterSet([.. chosen.Select(c => Provide(c, directory))]));
    }

    private static ProvidedCluster Provide(ChosenContext chosen, string directory)
    {
        var path = Path.Combine(directory, chosen.Cluster.Value);
        new OutputFile(path, chosen.Document.ToYaml(), IsSecret: true).Write();
        var (context, server) = (chosen.Context, chosen.Context.Server.AbsoluteUri.TrimEnd('/'));
        var unverified = context.SkipsTlsVerification ? "; its certificate is NOT verified (insecure-skip-tls-verify)" : "";
        return new ProvidedCluster
        {
            Access = new ClusterAccess
            {
                Name = chosen.Cluster, KubeconfigPath = path, ContextName = chosen.Document.CurrentContext!, Origin = context,
            },
            Outcome = ClusterOutcome.Existing,
            Detail = $"{server}, context '{context.Name}' of {chosen.Source}, "
                + $"credentials from {context.Credentials}{unverified}: nothing was created",
        };
    }

    /// <summary>The context that a cluster of the topology uses, and MeshTrust's own kubeconfig for it.</summary>
    private sealed record ChosenContext(ClusterName Cluster, ResolvedContext Context, KubeconfigDocument Document, string Source)
    {
        /// <summary>Finds the context of each cluster and reports everything that is missing at once.</summary>
        internal static IEnumerable<ChosenContext> Choose(IReadOnlyList<ClusterSpec> clusters, IReadOnlyList<string> userKubeconfigs)
        {
            var documents = new Dictionary<string, KubeconfigDocument?>(StringComparer.Ordinal);
            var problems = new List<Problem>();
            var chosen = clusters.Select(c => Choose(c, userKubeconfigs, documents, problems)).OfType<ChosenContext>().ToList();
            problems.AddRange(chosen.GroupBy(c => (c.Source, c.Context.Name)).Where(g => g.Count() > 1).Select(SameContext));
            if (problems.Count > 0) throw new MeshTrustException(Stage.Contexts, problems);

            // In MeshTrust's own files names are unique, and a shell can split KUBE_CONTEXTS.
            var clashes = chosen.GroupBy(c => c.Context.Name).Where(g => g.Count() > 1 || g.Key.Any(IsSplit))
                .Select(g => g.Key).ToHashSet();
            return chosen.Select(c => c with { Document = c.Own(rename: clashes.Contains(c.Context.Name)) });
        }

        private static bool IsSplit(char c) => char.IsWhiteSpace(c) || c is '*' or '?' or '[';

        private static ChosenContext? Choose(
            ClusterSpec cluster, IReadOnlyList<string> userKubeconfigs,
            Dictionary<string, KubeconfigDocument?> documents, List<Problem> problems)
        {
            IReadOnlyList<string> paths = cluster.Kubeconfig is { } own ? [own] : userKubeconfigs;
            var source = string.Join(Path.PathSeparator, paths);
            if (!documents.TryGetValue(source, out var document))
                documents[source] = document = Collect(() => KubeconfigDocument.Load(paths), problems);
            if (document is null) return null;

            // A file that is set for one cluster may use its current-context, as Istio reads meta.kubeconfig. The current-context of
            // the user's own files is never used.
            var name = cluster.Context
                ?? (cluster.Kubeconfig is null ? null : document.Contexts is [var only] ? only : document.CurrentContext);
            if (name is not null && document.Contexts.Contains(name))
            {
                return Collect(() => new ChosenContext(
                    cluster.Name, document.Resolve(name).WithFilesInside(KubeconfigReader.ReadNamedFile), document.Subset(name), source),
                    problems);
            }

            problems.Add(Missing(cluster, name, document, source));
            return null;
        }

        /// <summary>Contexts of the same name from different files, and names that a shell would split, get the cluster's name.</summary>
        private KubeconfigDocument Own(bool rename)
        {
            var document = Document.NameEntries(Cluster.Value);
            return rename ? document.RenameContext(Context.Name, Cluster.Value) : document;
        }

        private static T? Collect<T>(Func<T> read, List<Problem> problems) where T : class
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
            var isEmpty = document.Contexts.Count == 0;
            var what = name is null ? "No context is set for this cluster" : $"The kubeconfig has no context '{name}'";
            var near = ResolvedContext.Nearest(document.Contexts, name ?? cluster.Name.Value);
            return new Problem(isEmpty ? "MT0205" : name is null ? "MT0214" : "MT0206", cluster.Name.Value,
                $"{what} ({source}). {document.ListContexts()}",
                isEmpty ? "Log in to a cluster first, or use --provider=embedded, which needs none."
                    : "Set CTX_CLUSTERn (n is its position in the topology) or 'context' in the topology file"
                        + (near is null ? "." : $", for instance to '{near}'."));
        }

        private static Problem SameContext(IGrouping<(string Source, string Name), ChosenContext> group)
        {
            var clusters = string.Join(" and ", group.Select(c => $"'{c.Cluster}'"));
            return new Problem("MT0217", group.Key.Name,
                $"The clusters {clusters} use the same context '{group.Key.Name}', so they are the same cluster.",
                "Give each cluster in the topology its own context.");
        }
    }
}
