using MeshTrust.Topology;

namespace MeshTrust.Pki;

/// <summary>Sees to it that every cluster has its four files under the present root; what is good is kept byte for byte.</summary>
public static class ClusterCacertsIssue
{
    /// <summary>Keeps or issues the files of all clusters, in parallel.</summary>
    /// <param name="store">Where; its root must be there.</param>
    /// <param name="topology">The clusters and what the user wants of their intermediates.</param>
    /// <param name="keys">Where keys come from.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops between clusters; a cluster that is being written is written.</param>
    /// <returns>An outcome for each cluster, in the topology's order.</returns>
    /// <exception cref="MeshTrustException">MT5116: no root. MT51xx: the root cannot be used. MT10xx: the disk.</exception>
    public static Task<IReadOnlyList<ClusterCacertsOutcome>> EnsureAsync(TrustStore store, MeshTopology topology, PendingKeys keys, TimeProvider time, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
