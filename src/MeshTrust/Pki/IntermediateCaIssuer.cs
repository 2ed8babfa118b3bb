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
        var root = ExternalRoot.WithKey(store.ReadRoot(), topology.Trust);
        RootCaIssuer.RequireValid(root, store.RootCertPath, time);
        using var work = new ClusterWork(store, topology.Trust, root, keys, time);
        var outcomes = new IssueOutcome<ClusterCacerts>?[topology.Clusters.Count];
        var needs = new string?[topology.Clusters.Count];
        var faults = new MeshTrustException?[topology.Clusters.Count];
        // Twice the cores: while some clusters wait for a key, others sign and write.
        var atOnce = 2 * Environment.ProcessorCount;
        var options = new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, topology.Clusters.Count, options, async (index, token) =>
        {
            try
            {
                (outcomes[index], needs[index]) = await work.EnsureAsync(topology.Clusters[index].Name, token).ConfigureAwait(false);
            }
            catch (MeshTrustException fault)
            {
                faults[index] = fault;
            }
        }).ConfigureAwait(false);

        var lacking = needs.OfType<string>().ToList();
        var failed = faults.OfType<MeshTrustException>().ToList();
        if (lacking.Count > 0) failed.Add(new MeshTrustException(Stage.CertificateAuthority, NoKey(store, root, lacking)));
        if (failed.Count > 0) throw new MeshTrustException(failed[0].Stage, [.. failed.SelectMany(f => f.Problems).Distinct()], failed[0]);
        return [.. outcomes.OfType<IssueOutcome<ClusterCacerts>>()];
    }

    /// <summary>Issues a new intermediate for one cluster, although its files are good; root-cert.pem keeps its bytes.</summary>
    /// <exception cref="MeshTrustException">MT5101: no root key. MT51xx: the root cannot be used. MT10xx: an I/O error.</exception>
    internal static async Task<ClusterCacerts> RenewAsync(
        TrustStore store, MeshTopology topology, ClusterName cluster, KeyPool keys, TimeProvider time, CancellationToken cancellationToken)
    {
        using var held = await store.LockAsync([cluster], cancellationToken).ConfigureAwait(false);
        var root = ExternalRoot.WithKey(store.ReadRoot(), topology.Trust);
        return await IssueAsync(store, root, topology.Trust, cluster, keys, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same under another root than the store's, which the cluster's root-cert.pem must contain.</summary>
    internal static async Task<ClusterCacerts> IssueUnderAsync(
        TrustStore store, RootCa root, TrustSpec trust, ClusterName cluster, KeyPool keys, TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var held = await store.LockAsync([cluster], cancellationToken).ConfigureAwait(false);
        return await IssueAsync(store, root, trust, cluster, keys, time, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<ClusterCacerts> IssueAsync(
        TrustStore store, RootCa root, TrustSpec trust, ClusterName cluster, KeyPool keys, TimeProvider time,
        CancellationToken cancellationToken)
    {
        RootCaIssuer.RequireValid(root, store.RootCertPath, time);
        if (!root.HasKey) throw new MeshTrustException(Stage.CertificateAuthority, NoKey(store, root, [cluster.Value]));
        using var work = new ClusterWork(store, trust, root, keys, time);
        return (await work.IssueAsync(cluster, store.ReadClusterFiles(cluster), "A new one was requested.", cancellationToken)
            .ConfigureAwait(false)).Material;
    }

    private static Problem NoKey(TrustStore store, RootCa root, List<string> clusters) => new("MT5101", store.RootKeyPath,
        $"There is no root key, but {Text.Count(clusters.Count, "cluster")} must get a new intermediate: "
        + $"{string.Join("; ", clusters)}.",
        $"Put the key of '{root.Certificate.Subject}' there for this run, or pass --rootca-cert and --rootca-key. "
        + "Or let your CA sign: run CertificateRequests.");

    private sealed class ClusterWork(TrustStore store, TrustSpec trust, RootCa root, KeyPool keys, TimeProvider time) : IDisposable
    {
        private readonly CertificateIssuer _issuer = new(time);

        // An encrypted key is opened only if something is signed.
        private readonly Lazy<CertificateSigner> _signer = new(() => root.OpenSigner(trust));

        public void Dispose()
        {
            if (_signer.IsValueCreated) _signer.Value.Dispose();
        }

        /// <returns>The outcome; or, without a key, why the cluster needs one.</returns>
        internal async Task<(IssueOutcome<ClusterCacerts>? Outcome, string? Need)> EnsureAsync(
            ClusterName cluster, CancellationToken cancellationToken)
        {
            var files = store.ReadClusterFiles(cluster);
            var repair = CacertsRepair.Try(cluster, files, root, chainHasRoot: !trust.MinimalChain);
            var verdict = CacertsVerdict.Judge(cluster, repair?.Files ?? files, trust, root, time.GetUtcNow());
            if (verdict.Keep is { } good)
            {
                if (repair is not null) return (Rewrite(good, files, repair.Reason) with { Notes = verdict.Notes }, null);
                // What another CA wrote gets no root that it left out.
                var isAsWanted = good.ChainHasRoot ? !trust.MinimalChain : trust.MinimalChain || CacertsVerdict.IsForeign(good, root);
                return (isAsWanted || good.Chain.Count == 1
                    ? new IssueOutcome<ClusterCacerts>(IssueKind.Kept, good) { Notes = verdict.Notes }
                    : Rechain(good, files), null);
            }

            if (!root.HasKey) return (null, $"{cluster} ({verdict.Reason?.TrimEnd('.') ?? "it has no files"})");
            return (await IssueAsync(cluster, files, verdict.Reason, cancellationToken).ConfigureAwait(false), null);
        }

        internal async Task<IssueOutcome<ClusterCacerts>> IssueAsync(
            ClusterName cluster, Dictionary<string, ReadOnlyMemory<byte>> files, string? reason, CancellationToken cancellationToken)
        {
            RootCaIssuer.RequireNamesAllowed(root, store.RootCertPath, trust);
            var signer = _signer.Value;
            var key = await keys.RentAsync(trust.Intermediate.Key, cancellationToken).ConfigureAwait(false);
            var profile = CertificateProfile.ForIntermediate(trust.Intermediate, cluster);
            var issued = _issuer.Issue(profile, key.SubjectPublicKeyInfo, root.Chain, signer);
            var fresh = ClusterCacerts.FromIssued(
                cluster, issued.Certificate, key, root.Chain, CacertsRepair.RootFile(files, root), chainHasRoot: !trust.MinimalChain);
            var replaced = store.WriteCluster(cluster, fresh.ToFiles(), time.GetUtcNow());
            var kind = reason is null ? IssueKind.Issued : IssueKind.Reissued;
            return new(kind, fresh) { Replaced = replaced, Reason = reason, ClampedFrom = issued.ClampedFrom };
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
    /// <summary>Whether another CA than this one issued them: these options then mean nothing for them.</summary>
    internal static bool IsForeign(ClusterCacerts cacerts, RootCa root) => !root.HasKey || cacerts.Chain.Count > root.Chain.Count + 1;

    internal static CacertsVerdict Judge(
        ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, TrustSpec trust, RootCa root, DateTimeOffset now)
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
        if (!root.Roots.Contains(cacerts.Root)) return Replace($"It chains to another root: {cacerts.Root}.");
        if (now < certificate.NotBefore) return Replace($"It is not valid before {Text.Time(certificate.NotBefore)}.");
        if (cacerts.Chain.Skip(1).FirstOrDefault(c => now > c.NotAfter) is { } ended)
            return Replace($"'{ended.Subject}' above it expired on {Text.Time(ended.NotAfter)}.");
        var verdict = JudgeLifetime(cacerts, trust, root, now);
        // Without the key, the subjects show whether MeshTrust or Istio's Makefile issued them.
        var isOwn = !root.HasKey
            ? certificate.Has("L", cluster.Value) && root.Certificate.Has("CN", trust.Root.CommonName)
            : !IsForeign(cacerts, root);
        if (!isOwn) return verdict;
        var wanted = trust.Intermediate;
        // The name follows --istio-namespace. No peer looks at it, so a store that was issued for another namespace is not reissued.
        if (certificate.DnsNames is [var held] && wanted.DnsNames is [var name] && held != name
            && name == $"istiod.{trust.Namespace}.svc" && held.StartsWith("istiod.", StringComparison.Ordinal))
        {
            wanted = wanted with { DnsNames = certificate.DnsNames };
            verdict = verdict.With($"Its DNS name is {held}, of another namespace than {trust.Namespace}. It is kept, because no peer "
                + $"checks this name. To have it reissued with {name}, move its directory out of the store.");
        }

        var drift = CaConfigDrift.Between(certificate, wanted, cluster.Value, root.Chain);
        if (drift.Count == 0) return verdict;
        var what = $"It was created with other options: {string.Join("; ", drift)}.";
        return !root.HasKey ? verdict.With($"{what} It is kept, because there is no root key.") : Replace(what);
    }

    private CacertsVerdict With(string note) => Keep is null ? this : this with { Notes = [.. Notes, note] };

    /// <summary>
    /// Replaces a certificate close to expiry if a new one would expire later. If a new one would be due at once too (a threshold longer
    /// than the lifetime, or a root close to expiry), the last third of its lifetime counts: otherwise every run would reissue.
    /// </summary>
    private static CacertsVerdict JudgeLifetime(ClusterCacerts cacerts, TrustSpec trust, RootCa root, DateTimeOffset now)
    {
        var (start, end) = (cacerts.Certificate.NotBefore, cacerts.Certificate.NotAfter);
        if (!trust.RenewBefore.IsDue(start, end, now)) return new CacertsVerdict(cacerts, null);
        if (!root.HasKey && now <= end)
            return new CacertsVerdict(cacerts, null, $"It expires on {Text.Time(end)}, within {trust.RenewBefore}: run "
                + "CertificateRequests and let your CA sign, or bring the root key (--rootca-cert and --rootca-key).");
        var fresh = now + TimeSpan.FromDays(trust.Intermediate.Days);
        if (root.Chain.Min(c => c.NotAfter) is var limit && limit < fresh) fresh = limit;
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
