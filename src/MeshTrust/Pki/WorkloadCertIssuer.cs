using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>The files of a workload outside the cluster, such as a VM: key, certificate with the CAs above it, root.</summary>
internal sealed record WorkloadCert(WorkloadName Workload, string Directory, CertificateDocument Certificate)
{
    /// <summary>The names that Istio's agent reads in <c>/etc/certs</c> (istio tools/packaging/common/istio-start.sh, PROV_CERT).</summary>
    internal const string Key = "key.pem";

    internal static IReadOnlyList<string> Files { get; } = [Key, CacertsFile.CertChain, CacertsFile.RootCert];
}

/// <summary>Issues certificates for workloads with a cluster's CA from the store; good ones are kept. No cluster is contacted.</summary>
internal sealed class WorkloadCertIssuer
{
    private readonly TrustStore _store;
    private readonly TrustSpec _trust;
    private readonly ClusterCacerts _ca;
    private readonly string _trustDomain;
    private readonly TimeSpan _lifetime;
    private readonly TimeProvider _time;

    private WorkloadCertIssuer(
        TrustStore store, TrustSpec trust, ClusterCacerts ca, string trustDomain, TimeSpan lifetime, TimeProvider time) =>
        (_store, _trust, _ca, _trustDomain, _lifetime, _time) = (store, trust, ca, trustDomain, lifetime, time);

    /// <summary>The CAs above a workload, as its chain holds them.</summary>
    private IEnumerable<CertificateDocument> Issuers =>
        _ca.ChainHasRoot && !_trust.MinimalChain || _ca.Chain.Count == 1 ? _ca.Chain : _ca.Chain.SkipLast(1);

    /// <summary>Keeps or issues the files of each workload.</summary>
    /// <exception cref="MeshTrustException">
    /// MT5113, MT5112: the cluster has no usable CA. MT5119: what it issues is not valid. MT10xx: an I/O error.
    /// </exception>
    internal static async Task<IReadOnlyList<IssueOutcome<WorkloadCert>>> EnsureAsync(
        TrustStore store, TrustSpec trust, ClusterSpec cluster, RunSpec run, TimeProvider time, CancellationToken cancellationToken)
    {
        using var held = await store.LockAsync([], cancellationToken).ConfigureAwait(false);
        var ca = store.ReadCacerts(cluster.Name);
        var lifetime = TimeSpan.FromDays(run.WorkloadDays);
        var issuer = new WorkloadCertIssuer(store, trust, ca, cluster.TrustDomain ?? trust.TrustDomain, lifetime, time);
        return [.. run.Workloads.Distinct().Select(issuer.Ensure)];
    }

    private IssueOutcome<WorkloadCert> Ensure(WorkloadName workload)
    {
        var directory = _store.WorkloadDirectory(_ca.Cluster, workload);
        foreach (var stray in StoreFile.Find(directory, TrustStore.TemporaryPattern)) StoreFile.Remove(stray);
        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var file in WorkloadCert.Files)
            if (StoreFile.Read(Path.Combine(directory, file)) is { } content) files.Add(file, content);
        var (held, reason, notes) = Judge(files, workload.SpiffeId(_trustDomain));
        if (held is not null)
        {
            // Key and certificate are good; the chain or the root may have another form.
            return Outcome(IssueKind.Rechained, held, FilesOf(held, files[WorkloadCert.Key])) with { Notes = notes };
        }

        var key = KeyGeneration.Generate(KeyAlgorithm.EcdsaP256);
        using var signer = new CertificateSigner(_ca.Key);
        var profile = CertificateProfile.ForWorkload([workload.SpiffeId(_trustDomain)], _lifetime);
        var issued = new CertificateIssuer(_time).Issue(profile, key.SubjectPublicKeyInfo, _ca.Chain, signer);
        if (Fault(issued.Certificate) is { } fault)
            throw new MeshTrustException(Stage.CertificateAuthority, new Problem("MT5119", _store.ClusterDirectory(_ca.Cluster),
                $"The CA of {_ca.Cluster} cannot issue for {workload}: {fault}.",
                "Run ClusterCacerts, which renews the CA, or use a CA that permits the trust domain."));
        var fresh = FilesOf(issued.Certificate, key.ToPem());
        return Outcome(reason is null ? IssueKind.Issued : IssueKind.Reissued, issued.Certificate, fresh) with
        {
            Reason = reason, ClampedFrom = issued.ClampedFrom,
        };

        IssueOutcome<WorkloadCert> Outcome(
            IssueKind kind, CertificateDocument certificate, Dictionary<string, ReadOnlyMemory<byte>> wanted)
        {
            var changed = CacertsRepair.Changed(wanted, files).ToDictionary(StringComparer.Ordinal);
            if (changed.Count == 0) return new(IssueKind.Kept, new WorkloadCert(workload, directory, certificate));
            var replaced = StoreDirectory.Write(_store.Location, directory, changed, _time.GetUtcNow());
            // One generation is enough: nothing but the next renewal would ever remove them.
            if (replaced.Count > 0) foreach (var old in StoreFile.Find(directory, "*.old").Except(replaced)) StoreFile.Remove(old);
            return new(kind, new WorkloadCert(workload, directory, certificate)) { Replaced = replaced };
        }
    }

    private Dictionary<string, ReadOnlyMemory<byte>> FilesOf(CertificateDocument certificate, ReadOnlyMemory<byte> key) => new()
    {
        [WorkloadCert.Key] = key,
        [CacertsFile.CertChain] = PemDocument.Write(Issuers.Prepend(certificate)),
        [CacertsFile.RootCert] = _ca.RootCert,
    };

    /// <summary>Why peers of this cluster would not trust the certificate now, as a clause; null if they would.</summary>
    private string? Fault(CertificateDocument certificate)
    {
        var (roots, now) = (PemDocument.Parse("", _ca.RootCert.Span).Certificates, _time.GetUtcNow());
        return now > certificate.NotAfter ? $"the certificate would have expired on {Text.Time(certificate.NotAfter)}"
            : CertificationPath.Fault(certificate, _ca.Chain, roots, now)
                ?? _store.ReadCrls()?.Fault([certificate, .. _ca.Chain], now);
    }

    /// <summary>The certificate if it is kept, else why it is replaced; no reason if there is none.</summary>
    private (CertificateDocument? Held, string? Reason, IReadOnlyList<string> Notes) Judge(
        Dictionary<string, ReadOnlyMemory<byte>> files, string id)
    {
        if (files.Count == 0) return (null, null, []);
        if (!files.TryGetValue(WorkloadCert.Key, out var keyFile)) return Replace("There is no key.pem.");
        if (!PrivateKeyPem.TryParse(WorkloadCert.Key, keyFile.Span, out var key, out var reason)) return Replace($"key.pem: {reason}");
        if (!files.TryGetValue(CacertsFile.CertChain, out var chain)) return Replace("There is no cert-chain.pem.");
        if (PemDocument.Parse("", chain.Span).Certificates is not [var held, ..] || !key.Matches(held))
            return Replace("cert-chain.pem does not start with the certificate of key.pem.");
        if (held.Uris is not [var name] || name != id || held.DnsNames.Count > 0)
            return Replace($"Its name is '{string.Join("', '", held.Uris.Concat(held.DnsNames))}', but '{id}' was requested.");
        if (!_ca.Certificate.Issued(held)) return Replace($"It was issued by another CA than {_ca.Cluster} has now.");
        if (Fault(held) is { } fault) return Replace($"Peers do not trust it: {fault}.");
        var (end, now) = (held.NotAfter, _time.GetUtcNow());
        var limit = _ca.Chain.Min(ca => ca.NotAfter);
        var days = held.NotAfter - held.NotBefore - CertificateIssuer.Backdating;
        if ((days - _lifetime).Duration() > TimeSpan.FromHours(1) && (end != limit || days > _lifetime))
            return Replace($"It is valid for {days.TotalDays:0.#} days, but {_lifetime.TotalDays:0} were requested.");
        if (!_trust.RenewBefore.IsDueOf(held.NotBefore, end, now)) return (held, null, []);
        return end == limit
            ? (held, null, [$"It expires on {Text.Time(end)} with its CA, so a new one would expire as soon: run ClusterCacerts first."])
            : Replace($"It expires on {Text.Time(end)}, which is due for renewal.");

        (CertificateDocument?, string?, IReadOnlyList<string>) Replace(string why) => (null, why, []);
    }
}
