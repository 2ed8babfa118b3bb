using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>Gives every cluster its four files under the current root; good ones are kept byte for byte.</summary>
public static class IntermediateCaIssuer
{
    /// <summary>Keeps or issues the files of all clusters, in parallel.</summary>
    /// <param name="store">The store; its root must exist.</param>
    /// <param name="topology">The clusters and the requested intermediates.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops between clusters; a cluster that is being written is completed.</param>
    /// <returns>An outcome for each cluster, in the topology's order.</returns>
    /// <exception cref="MeshTrustException">
    /// MT5116: no root. MT51xx: the root cannot be used. MT10xx: an I/O error. The problems of all clusters at once.
    /// </exception>
    public static async Task<IReadOnlyList<IssueOutcome<ClusterCacerts>>> EnsureAsync(
        TrustStore store, MeshTopology topology, TimeProvider time, CancellationToken cancellationToken = default)
    {
        using var keys = new KeyPool();
        return await EnsureAsync(store, topology, keys, time, cancellationToken).ConfigureAwait(false);
    }

    internal static async Task<IReadOnlyList<IssueOutcome<ClusterCacerts>>> EnsureAsync(
        TrustStore store, MeshTopology topology, KeyPool keys, TimeProvider time, CancellationToken cancellationToken = default)
    {
        using var held = await store.LockAsync(topology.Clusters.Select(c => c.Name), cancellationToken).ConfigureAwait(false);
        var root = store.ReadRoot();
        RootCaIssuer.RequireValid(root.Certificate, store.RootCertPath, time);
        using var signer = new CertificateSigner(root.Key);
        var work = new ClusterWork(store, topology.Trust, root, signer, keys, time);
        var outcomes = new IssueOutcome<ClusterCacerts>?[topology.Clusters.Count];
        var faults = new MeshTrustException?[topology.Clusters.Count];
        // Twice the cores: while some clusters wait for a key, others sign and write.
        var atOnce = 2 * Environment.ProcessorCount;
        var options = new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancellationToken };
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
        return [.. outcomes.OfType<IssueOutcome<ClusterCacerts>>()];
    }

    private sealed class ClusterWork(
        TrustStore store, TrustSpec trust, RootCa root, CertificateSigner signer, KeyPool keys, TimeProvider time)
    {
        private readonly CertificateIssuer _issuer = new(time);

        internal async Task<IssueOutcome<ClusterCacerts>> EnsureAsync(ClusterName cluster, CancellationToken cancellationToken)
        {
            var files = store.ReadClusterFiles(cluster);
            var repair = CacertsRepair.Try(cluster, files, root, chainHasRoot: !trust.MinimalChain);
            var verdict = CacertsVerdict.Judge(cluster, repair?.Files ?? files, trust, root.Certificate, time.GetUtcNow());
            if (verdict.Keep is { } good)
            {
                if (repair is not null) return Rewrite(good, files, repair.Reason) with { Notes = verdict.Notes };
                return good.ChainHasRoot != trust.MinimalChain || good.Chain.Count == 1
                    ? new IssueOutcome<ClusterCacerts>(IssueKind.Kept, good) { Notes = verdict.Notes }
                    : Rechain(good, files);
            }

            var key = await keys.RentAsync(trust.Intermediate.Key, cancellationToken).ConfigureAwait(false);
            var profile = CertificateProfile.ForIntermediate(trust.Intermediate, cluster);
            var issued = _issuer.Issue(profile, key.SubjectPublicKeyInfo, [root.Certificate], signer);
            var fresh = ClusterCacerts.FromIssued(
                cluster, issued.Certificate, key, root.Certificate, CacertsRepair.RootFile(files, root), chainHasRoot: !trust.MinimalChain);
            var replaced = store.WriteCluster(cluster, fresh.ToFiles(), time.GetUtcNow());
            var kind = verdict.Reason is null ? IssueKind.Issued : IssueKind.Reissued;
            return new(kind, fresh) { Replaced = replaced, Reason = verdict.Reason, ClampedFrom = issued.ClampedFrom };
        }

        private IssueOutcome<ClusterCacerts> Rechain(ClusterCacerts good, Dictionary<string, ReadOnlyMemory<byte>> files)
        {
            var chain = PemDocument.Write(trust.MinimalChain ? good.Chain.SkipLast(1) : good.Chain);
            var rechained = new Dictionary<string, ReadOnlyMemory<byte>>(good.ToFiles()) { [CacertsFile.CertChain] = chain };
            return Rewrite(ClusterCacerts.FromFiles(good.Cluster, rechained), files, trust.MinimalChain
                ? "cert-chain.pem contained the root, but a chain without it was requested."
                : "cert-chain.pem lacked the root, but a chain with it was requested.");
        }

        /// <summary>Writes the files that differ; key and certificate stay the same.</summary>
        private IssueOutcome<ClusterCacerts> Rewrite(ClusterCacerts wanted, Dictionary<string, ReadOnlyMemory<byte>> files, string reason)
        {
            var changed = CacertsRepair.Changed(wanted.ToFiles(), files).ToDictionary(StringComparer.Ordinal);
            var replaced = store.WriteCluster(wanted.Cluster, changed, time.GetUtcNow());
            return new IssueOutcome<ClusterCacerts>(IssueKind.Rechained, wanted) { Reason = reason, Replaced = replaced };
        }
    }
}

/// <summary>Whether a cluster's files are kept. Pure.</summary>
/// <param name="Keep">The files, if they are kept.</param>
/// <param name="Reason">Why they are replaced; null if they are kept or do not exist.</param>
/// <param name="Notes">What the user should know, as sentences.</param>
internal sealed record CacertsVerdict(ClusterCacerts? Keep, string? Reason, params IReadOnlyList<string> Notes)
{
    internal static CacertsVerdict Judge(
        ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, TrustSpec trust, CertificateDocument root,
        DateTimeOffset now)
    {
        if (files.Count == 0) return new CacertsVerdict(null, null);
        ClusterCacerts cacerts;
        try
        {
            cacerts = ClusterCacerts.FromFiles(cluster, files);
        }
        catch (MeshTrustException fault)
        {
            return Replace(CacertsRepair.Summary(fault.Problems));
        }

        var certificate = cacerts.Certificate;
        if (!cacerts.Root.Equals(root)) return Replace($"It chains to another root: {cacerts.Root}.");
        if (now < certificate.NotBefore) return Replace($"It is not valid before {Text.Time(certificate.NotBefore)}.");
        var drift = CaConfigDrift.Between(certificate, trust.Intermediate, cluster.Value, root);
        if (drift.Count > 0) return Replace($"It was created with other options: {string.Join("; ", drift)}.");
        return JudgeLifetime(cacerts, trust, root, now);
    }

    /// <summary>
    /// Replaces a certificate close to expiry if a new one would expire later. If a new one would be due at once too (a threshold longer
    /// than the lifetime, or a root close to expiry), the last third of its lifetime counts: otherwise every run would reissue.
    /// </summary>
    private static CacertsVerdict JudgeLifetime(ClusterCacerts cacerts, TrustSpec trust, CertificateDocument root, DateTimeOffset now)
    {
        var (start, end) = (cacerts.Certificate.NotBefore, cacerts.Certificate.NotAfter);
        if (!trust.RenewBefore.IsDue(start, end, now)) return new CacertsVerdict(cacerts, null);
        var fresh = now + TimeSpan.FromDays(trust.Intermediate.Days);
        if (root.NotAfter < fresh) fresh = root.NotAfter;
        var freshIsDue = trust.RenewBefore.IsDue(now, fresh, now);
        var lastThird = end - ((end - start) / 3);
        if (fresh <= end + TimeSpan.FromMinutes(1) || (freshIsDue && now < lastThird))
        {
            var note = $"It expires on {Text.Time(end)}, within {trust.RenewBefore}, but a new one would expire as soon, so it is kept. "
                + "Shorten --renew-before, or rotate the root if the root is what expires.";
            return new CacertsVerdict(cacerts, null, note);
        }

        return Replace(now > end ? $"It expired on {Text.Time(end)}." : $"It expires on {Text.Time(end)}, within {trust.RenewBefore}.");
    }

    private static CacertsVerdict Replace(string reason) => new(null, reason);
}
