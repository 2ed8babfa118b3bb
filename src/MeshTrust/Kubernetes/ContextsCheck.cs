using MeshTrust.Clusters;

namespace MeshTrust.Kubernetes;

/// <summary>Asks every API server: does it answer, which version is it, and is it really another cluster than the rest?</summary>
public static class ContextsCheck
{
    /// <summary>Asks all clusters at once.</summary>
    /// <param name="clusters">The clusters.</param>
    /// <param name="connect">Opens the way to one cluster.</param>
    /// <param name="cancellationToken">Ends the check.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>, with the problems of all clusters.</exception>
    public static Task<ContextsReport> RunAsync(IReadOnlyList<ClusterAccess> clusters, Func<ClusterAccess, IClusterApi> connect, CancellationToken cancellationToken) =>
        throw new NotImplementedException();
}
