using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>Reads what the clusters hold: several clusters at once, each call with the deadline of its <see cref="IClusterApi"/>.</summary>
/// <param name="time">Tells when the snapshot was taken.</param>
/// <param name="parallel">How many clusters are read at once, at least one.</param>
public sealed class TrustSnapshotReader(TimeProvider time, int parallel)
{
    /// <summary>Reads all clusters. What cannot be read stands in <see cref="ClusterSnapshot.Unread"/>; only cancellation is thrown.</summary>
    /// <param name="topology">What the user wants: the namespace to look in, and the order of the report.</param>
    /// <param name="clusters">How to reach each cluster of the topology; one that is missing counts as unreadable.</param>
    /// <param name="connect">Opens one cluster; the reader closes it.</param>
    /// <param name="trustStore">The directory of the trust store for drift; null, or a directory that is not there, for none.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<TrustSnapshot> ReadAsync(
        MeshTopology topology,
        IReadOnlyList<ClusterAccess> clusters,
        Func<ClusterAccess, IClusterApi> connect,
        string? trustStore,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(clusters);
        var files = trustStore is not null && Directory.Exists(trustStore)
            ? Task.Run(() => TrustStoreFiles.Read(trustStore), cancellationToken)
            : Task.FromResult<TrustStoreSnapshot?>(null)!;
        var read = new ClusterSnapshot[topology.Clusters.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, parallel), CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, read.Length, options, async (i, ct) =>
        {
            var name = topology.Clusters[i].Name;
            var access = clusters.FirstOrDefault(c => c.Name == name);
            read[i] = access is null
                ? ClusterReading.Unreachable(name, "", "It is in the topology, but no kubeconfig context was given for it.", "Run SetContexts, or name its context.")
                : await ClusterReading.ReadAsync(access, connect, topology.Trust.Namespace, ct).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return new TrustSnapshot
        {
            Topology = topology,
            At = time.GetUtcNow(),
            Clusters = read,
            Files = await files.ConfigureAwait(false),
        };
    }
}
