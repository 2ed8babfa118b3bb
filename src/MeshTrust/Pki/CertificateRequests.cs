using System.Text;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>A request that waits for the signature of a CA outside of MeshTrust.</summary>
internal sealed record PendingRequest(ClusterName Cluster, string File, string Subject);

/// <summary>
/// Requests for intermediates that a CA outside of MeshTrust signs. Key and request of each cluster are in a directory beside the trust
/// store, so that nothing takes them for the files of a cluster; the key leaves it only for the trust store.
/// </summary>
internal sealed class CertificateRequests(TrustStore store)
{
    private const string Csr = "ca.csr";

    internal string Location => store.Location + "-requests";

    /// <summary>Whether a request of any cluster waits.</summary>
    internal bool Any => StoreFile.Find(Location, "*").Any(directory => File.Exists(Path.Combine(directory, CacertsFile.CaKey)));

    internal bool IsPending(ClusterName cluster) => File.Exists(PathOf(cluster, CacertsFile.CaKey));

    internal string PathOf(ClusterName cluster, string file = Csr) => Path.Combine(Location, cluster.Value, file);

    /// <summary>
    /// Writes a request for each cluster whose intermediate is missing, does not fit or is due, or for those that are chosen. One that
    /// exists is kept with its key; if other options apply now, its key stays and the request is written again.
    /// </summary>
    /// <exception cref="MeshTrustException">MT51xx: the root of the store cannot be used. MT10xx: an I/O error.</exception>
    internal async Task<IReadOnlyList<IssueOutcome<PendingRequest>>> EnsureAsync(
        MeshTopology topology, IReadOnlyList<ClusterName> chosen, KeyPool keys, TimeProvider time, CancellationToken cancellationToken)
    {
        ClusterName[] names = [.. topology.Clusters.Select(c => c.Name)];
        using var held = await store.LockAsync(names, cancellationToken).ConfigureAwait(false);
        DiskFault.Report(Stage.CertificateAuthority, Location, () => AtomicFile.CreateDirectory(Location, secret: true));
        foreach (var stray in StoreFile.Find(Location, TrustStore.TemporaryPattern)) StoreFile.Remove(stray);
        var (trust, root, now) = (topology.Trust, store.TryReadRoot(), time.GetUtcNow());
        var wanted = chosen.Count > 0 ? chosen : [.. names.Where(name => root is null || IsNeeded(name, trust, root, now))];
        keys.Reserve(trust.Intermediate.Key, wanted.Count(name => !IsPending(name)));
        var outcomes = new List<IssueOutcome<PendingRequest>>();
        foreach (var name in wanted) outcomes.Add(await EnsureAsync(name, trust, keys, now, cancellationToken).ConfigureAwait(false));
        return outcomes;
    }

    /// <summary>The key of a cluster's request; null, with the reason, if there is none that can be read.</summary>
    internal PrivateKeyPem? ReadKey(ClusterName cluster, out string? reason)
    {
        reason = "There is no request for this cluster.";
        return StoreFile.Read(PathOf(cluster, CacertsFile.CaKey)) is { } file
            && PrivateKeyPem.TryParse(CacertsFile.CaKey, file, out var key, out reason) ? key : null;
    }

    /// <summary>Removes a request whose certificate is in the trust store. What else is in its directory stays.</summary>
    internal void Remove(ClusterName cluster)
    {
        StoreFile.Remove(PathOf(cluster));
        StoreFile.Remove(PathOf(cluster, CacertsFile.CaKey));
        foreach (var directory in (string[])[Path.Combine(Location, cluster.Value), Location])
            DiskFault.Ignore(() => Directory.Delete(directory));
    }

    private bool IsNeeded(ClusterName cluster, TrustSpec trust, RootCa root, DateTimeOffset now)
    {
        var files = store.ReadClusterFiles(cluster);
        var repaired = CacertsRepair.Try(cluster, files, root, chainHasRoot: !trust.MinimalChain)?.Files ?? files;
        return CacertsVerdict.Judge(cluster, repaired, trust, root, now).Keep?.Certificate is not { } ca
            || trust.RenewBefore.IsDue(ca.NotBefore, ca.NotAfter, now);
    }

    private async Task<IssueOutcome<PendingRequest>> EnsureAsync(
        ClusterName cluster, TrustSpec trust, KeyPool keys, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var profile = CertificateProfile.ForIntermediate(trust.Intermediate, cluster);
        var (key, existing) = (ReadKey(cluster, out _), StoreFile.Read(PathOf(cluster)));
        if (key?.KeyAlgorithm != trust.Intermediate.Key)
            key = await keys.RentAsync(trust.Intermediate.Key, cancellationToken).ConfigureAwait(false);
        var files = new Dictionary<string, ReadOnlyMemory<byte>>
        {
            [CacertsFile.CaKey] = key!.ToPem(), [Csr] = Encoding.ASCII.GetBytes(CertificateIssuer.Request(profile, key, existing)),
        };
        var subject = string.Join(", ", profile.Subject.Select(a => $"{a.Type}={a.Value}"));
        var request = new PendingRequest(cluster, PathOf(cluster), subject);
        var changed = files.Where(f => StoreFile.Read(PathOf(cluster, f.Key)) is not { } there || !f.Value.Span.SequenceEqual(there))
            .ToDictionary();
        if (changed.Count == 0) return new(IssueKind.Kept, request);
        StoreDirectory.Write(Location, Path.Combine(Location, cluster.Value), changed, now);
        return existing is null ? new(IssueKind.Issued, request)
            : new(IssueKind.Reissued, request) { Reason = "It was created with other options, or for another key." };
    }
}
