using MeshTrust.Topology;

namespace MeshTrust.Clusters;

/// <summary>Clusters that exist already: the user's kubeconfig and contexts. It creates nothing and removes nothing.</summary>
/// <param name="workDirectory">Where our own kubeconfigs go (<c>kubeconfig/&lt;cluster&gt;</c>, mode 0600); the user's own file is only read.</param>
/// <param name="userKubeconfigs">The user's kubeconfig files, the first wins: see <see cref="UserKubeconfig.Paths"/>.</param>
public sealed class ExistingClusterProvider(string workDirectory, IReadOnlyList<string> userKubeconfigs) : IClusterProvider
{
    /// <inheritdoc/>
    public ProviderChoice Choice => ProviderChoice.Existing;

    /// <inheritdoc/>
    public Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken) =>
        throw new NotImplementedException(workDirectory + userKubeconfigs.Count);
}
