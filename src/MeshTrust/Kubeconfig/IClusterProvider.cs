using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>Where clusters come from.</summary>
public interface IClusterProvider
{
    /// <summary>The name that <c>--provider</c> takes.</summary>
    ProviderChoice Choice { get; }

    /// <summary>Makes the clusters of the topology reachable: creates or starts what is missing, keeps what is there.</summary>
    /// <remarks>Idempotent. The set lives until it is disposed; disposing it never removes a cluster's state.</remarks>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.ClusterCreation"/> or <see cref="Stage.Contexts"/>.</exception>
    Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken);
}
