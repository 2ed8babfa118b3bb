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
            var verdict = ClusterCacertsVerdict.Judge(cluster, files, trust, root.Certificate, time.GetUtcNow());
            if (verdict.Keep is { } good)
            {
                if (good.ChainHasRoot != trust.MinimalChain || good.Chain.Count == 1) return new ClusterCacertsOutcome { Kind = IssueKind.Kept, Cacerts = good, Notes = verdict.Notes };
                return Rechain(good);
            }

            var key = await keys.TakeAsync(trust.Intermediate.Key, cancellationToken).ConfigureAwait(false);
            var issued = _issuer.Issue(CertificateProfile.ForIntermediate(trust.Intermediate, cluster), key.SubjectPublicKeyInfo, [root.Certificate], signer);
            var fresh = ClusterCacerts.FromIssued(cluster, issued.Certificate, key, root.Certificate, RootFile(files), chainHasRoot: !trust.MinimalChain);
            store.WriteCluster(cluster, fresh.ToFiles());
            return new ClusterCacertsOutcome
            {
                Kind = verdict.Reason is null ? IssueKind.Issued : IssueKind.Reissued,
                Cacerts = fresh,
                Reason = verdict.Reason,
                ClampedFrom = issued.ClampedFrom,
            };
        }

        private ClusterCacertsOutcome Rechain(ClusterCacerts good)
        {
            var chain = PemDocument.Write(trust.MinimalChain ? good.Chain.SkipLast(1) : good.Chain);
            var files = new Dictionary<string, ReadOnlyMemory<byte>>(good.ToFiles(), StringComparer.Ordinal) { [CacertsFile.CertChain] = chain };
            var rechained = ClusterCacerts.FromFiles(good.Cluster, files);
            store.WriteCluster(good.Cluster, new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal) { [CacertsFile.CertChain] = chain });
            return new ClusterCacertsOutcome
            {
                Kind = IssueKind.Rechained,
                Cacerts = rechained,
                Reason = trust.MinimalChain ? "cert-chain.pem held the root, and a chain without it is asked for." : "cert-chain.pem lacked the root, and a chain with it is asked for.",
            };
        }

        /// <summary>
        /// istiod drops a whole update when one byte of root-cert.pem differs and multi-root is off (istio pilot/pkg/bootstrap/istio_ca.go),
        /// so a file that holds the present root stays as it is; only a new or foreign one is written from the root's own file.
        /// </summary>
        private ReadOnlyMemory<byte> RootFile(Dictionary<string, ReadOnlyMemory<byte>> files)
        {
            if (!files.TryGetValue(CacertsFile.RootCert, out var there)) return root.CertificateFile;
            var document = PemDocument.Parse(CacertsFile.RootCert, there.Span);
            var good = document.Defects.Count == 0 && document.Blocks.Count == document.Certificates.Count && document.Certificates.Contains(root.Certificate);
            return good ? there : root.CertificateFile;
        }
    }
}
