using MeshTrust.Clusters;

namespace MeshTrust.Kubernetes;

/// <summary>An API server over KubernetesClient.</summary>
public static class KubernetesClusterApi
{
    /// <summary>Opens the way to a cluster: reads the kubeconfig, sends nothing yet.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the kubeconfig does not do.</exception>
    public static IClusterApi Connect(ClusterAccess access, ClusterApiSettings settings) => throw new NotImplementedException();
}
