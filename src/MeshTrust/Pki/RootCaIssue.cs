using MeshTrust.Topology;

namespace MeshTrust.Pki;

/// <summary>Sees to it that the store has a root: keeps the one that is there, or issues or imports one. It never overwrites a root.</summary>
public static class RootCaIssue
{
    /// <summary>Keeps, issues or imports the root.</summary>
    /// <param name="store">Where.</param>
    /// <param name="trust">What the user wants.</param>
    /// <param name="keys">Where the key comes from.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops before the key is made or taken; a root that is being written is written.</param>
    /// <exception cref="MeshTrustException">MT51xx: there is a root that cannot be used as it is. MT10xx: the disk.</exception>
    public static Task<RootCaOutcome> EnsureAsync(TrustStore store, TrustSpec trust, PendingKeys keys, TimeProvider time, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
