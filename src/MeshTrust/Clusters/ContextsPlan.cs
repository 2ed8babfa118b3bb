using MeshTrust.Topology;

namespace MeshTrust.Clusters;

/// <summary>The files and variables that lead to the clusters of a mesh. Pure: texts and paths, nothing is written.</summary>
public sealed class ContextsPlan
{
    private ContextsPlan(IReadOnlyList<KeyValuePair<string, string>> variables) => Variables = variables;

    /// <summary>The variables for later steps (<c>CTX_CLUSTER1</c>, <c>KUBECONFIG</c> and so on), in the order in which they are written.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Variables { get; }

    /// <summary>Plans the export.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="clusters">How each cluster is reached, in the order of the topology.</param>
    /// <param name="kubeconfigs">The kubeconfig of each cluster, in the same order.</param>
    /// <param name="workDirectory">The work directory (absolute).</param>
    public static ContextsPlan For(MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, IReadOnlyList<KubeconfigDocument> kubeconfigs, string workDirectory) =>
        throw new NotImplementedException(topology.Name + clusters.Count + kubeconfigs.Count + workDirectory);
}
