namespace MeshTrust.Clusters;

/// <summary>A context that was brought into a kubeconfig of the user's.</summary>
/// <param name="File">That kubeconfig.</param>
/// <param name="Context">The context's name in it.</param>
/// <param name="Cluster">The cluster that it leads to.</param>
/// <param name="Endpoint">What it led to (<see cref="KubeconfigContext.Endpoint"/>): a context of the same name that leads elsewhere is another's.</param>
public sealed record MergedContext(string File, string Context, string Cluster, string Endpoint);
