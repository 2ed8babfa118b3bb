using MeshTrust.Settings;

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
    /// <exception cref="MeshTrustException">MT5116: no root. MT51xx: the root cannot be used. MT10xx: the disk; the problems of all clusters at once.</exception>
    public static async Task<IReadOnlyList<ClusterCacertsOutcome>> EnsureAsync(TrustStore store, MeshTopology topology, PendingKeys keys, TimeProvider time, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(time);
        using var held = await store.LockAsync(topology.Clusters.Select(c => c.Name), cancellationToken).ConfigureAwait(false);
        var root = store.ReadRoot();
        RootCaIssue.RequireValid(root.Certificate, store.RootCertPath, time);
        using var signer = new CertificateSigner(root.Key);
        var work = new ClusterWork(store, topology.Trust, root, signer, keys, time);
        var outcomes = new ClusterCacertsOutcome?[topology.Clusters.Count];
        var faults = new MeshTrustException?[topology.Clusters.Count];
        // Twice the cores: while some wait for a key, others sign and write.
        var options = new ParallelOptions { MaxDegreeOfParallelism = 2 * Environment.ProcessorCount, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, topology.Clusters.Count, options, async (index, token) =>
        {
            try
            {
                outcomes[index] = await work.EnsureAsync(topology.Clusters[index].Name, token).ConfigureAwait(false);
            }
            catch (MeshTrustException fault)
            {
                faults[index] = fault;
            }
        }).ConfigureAwait(false);

        var failed = faults.OfType<MeshTrustException>().ToList();
        if (failed.Count > 0) throw new MeshTrustException(failed[0].Stage, [.. failed.SelectMany(f => f.Problems)], failed[0]);
        return [.. outcomes.OfType<ClusterCacertsOutcome>()];
    }

    private sealed class ClusterWork(TrustStore store, TrustSpec trust, RootCa root, CertificateSigner signer, PendingKeys keys, TimeProvider time)
    {
        private readonly CertificateIssuer _issuer = new(time);

        internal async Task<ClusterCacertsOutcome> EnsureAsync(ClusterName cluster, CancellationToken cancellationToken)
        {
            var files = store.ReadClusterFiles(cluster);
            var repair = ClusterCacertsRepair.Try(cluster, files, root, chainHasRoot: !trust.MinimalChain);
            var verdict = ClusterCacertsVerdict.Judge(cluster, repair?.Files ?? files, trust, root.Certificate, time.GetUtcNow());
            if (verdict.Keep is { } good)
            {
                if (repair is not null) return Rewrite(good, files, repair.Reason) with { Notes = verdict.Notes };
                if (good.ChainHasRoot != trust.MinimalChain || good.Chain.Count == 1) return new ClusterCacertsOutcome { Kind = IssueKind.Kept, Cacerts = good, Notes = verdict.Notes };
                return Rechain(good, files);
            }

            var key = await keys.TakeAsync(trust.Intermediate.Key, cancellationToken).ConfigureAwait(false);
            var issued = _issuer.Issue(CertificateProfile.ForIntermediate(trust.Intermediate, cluster), key.SubjectPublicKeyInfo, [root.Certificate], signer);
            var fresh = ClusterCacerts.FromIssued(cluster, issued.Certificate, key, root.Certificate, ClusterCacertsRepair.RootFile(files, root), chainHasRoot: !trust.MinimalChain);
            var replaced = store.WriteCluster(cluster, fresh.ToFiles(), time.GetUtcNow());
            return new ClusterCacertsOutcome
            {
                Replaced = replaced,
                Kind = verdict.Reason is null ? IssueKind.Issued : IssueKind.Reissued,
                Cacerts = fresh,
                Reason = verdict.Reason,
                ClampedFrom = issued.ClampedFrom,
            };
        }

        private ClusterCacertsOutcome Rechain(ClusterCacerts good, Dictionary<string, ReadOnlyMemory<byte>> files)
        {
            var chain = PemDocument.Write(trust.MinimalChain ? good.Chain.SkipLast(1) : good.Chain);
            var rechained = ClusterCacerts.FromFiles(good.Cluster, new Dictionary<string, ReadOnlyMemory<byte>>(good.ToFiles(), StringComparer.Ordinal) { [CacertsFile.CertChain] = chain });
            return Rewrite(rechained, files, trust.MinimalChain ? "cert-chain.pem held the root, and a chain without it is asked for." : "cert-chain.pem lacked the root, and a chain with it is asked for.");
        }

        /// <summary>Writes those files that differ; key and certificate are the same.</summary>
        private ClusterCacertsOutcome Rewrite(ClusterCacerts wanted, Dictionary<string, ReadOnlyMemory<byte>> files, string reason)
        {
            var changed = wanted.ToFiles().Where(f => !files.TryGetValue(f.Key, out var there) || !there.Span.SequenceEqual(f.Value.Span)).ToDictionary(StringComparer.Ordinal);
            var replaced = store.WriteCluster(wanted.Cluster, changed, time.GetUtcNow());
            return new ClusterCacertsOutcome { Kind = IssueKind.Rechained, Cacerts = wanted, Reason = reason, Replaced = replaced };
        }
    }
}
