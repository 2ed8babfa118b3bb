using MeshTrust.Topology;

namespace MeshTrust.Clusters.Addressing;

/// <summary>Addresses that were given out, kept in <c>lock.json</c> of the work directory, so that the next run gives out the same.</summary>
public sealed record AddressLock
{
    /// <summary>Where it lies in the work directory.</summary>
    public const string FileName = "lock.json";

    /// <summary>The clusters' addresses.</summary>
    public IReadOnlyList<ClusterAddresses> Clusters { get; init; } = [];

    /// <summary>Reads the file's text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="place">The file, for messages.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Preflight"/>: MT3119, it is no lock file that this version reads.</exception>
    public static AddressLock Parse(string json, string place = FileName) => throw new NotImplementedException();

    /// <summary>The file's text.</summary>
    public string ToJson() => throw new NotImplementedException();

    /// <summary>The lock without a cluster that was removed.</summary>
    public AddressLock Without(ClusterName cluster) => throw new NotImplementedException();
}
