using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>Clusters that exist already: the user's kubeconfig and contexts. It creates nothing and removes nothing.</summary>
/// <param name="workDirectory">Where our own kubeconfigs go (<c>kubeconfig/&lt;cluster&gt;</c>, mode 0600); the user's own file is only read.</param>
/// <param name="userKubeconfigs">The user's kubeconfig files, the first wins: see <see cref="UserKubeconfig.Paths"/>.</param>
public sealed class ExistingClusterProvider(string workDirectory, IReadOnlyList<string> userKubeconfigs) : IClusterProvider
{
    /// <inheritdoc/>
    public ProviderChoice Choice => ProviderChoice.Existing;

    /// <inheritdoc/>
    public Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        cancellationToken.ThrowIfCancellationRequested();
        var chosen = ExistingContexts.Choose(topology.Clusters, userKubeconfigs, KubeconfigFile.ReadNamed);
        var directory = Path.Combine(Path.GetFullPath(workDirectory), "kubeconfig");
        var clusters = chosen.Select(c => Provide(c, directory)).ToList();
        return Task.FromResult(new ClusterSet(clusters));
    }

    private static ProvidedCluster Provide(ExistingContext chosen, string directory)
    {
        var path = Path.Combine(directory, chosen.Cluster.Value);
        WorkFile.Write(new ContextsFile { Path = path, Text = chosen.Document.ToYaml(), Secret = true });
        var unverified = chosen.Context.SkipsTlsVerification ? "; its certificate is NOT verified (insecure-skip-tls-verify)" : "";
        return new ProvidedCluster
        {
            Access = new ClusterAccess { Name = chosen.Cluster, KubeconfigPath = path, ContextName = chosen.Document.CurrentContext! },
            Outcome = ClusterOutcome.Existing,
            Detail = $"{chosen.Context.Server.AbsoluteUri.TrimEnd('/')}, context '{chosen.Context.Name}' of {chosen.Source}, credentials from {chosen.Context.Credentials}{unverified}: nothing was created",
        };
    }
}
