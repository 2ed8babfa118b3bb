using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>Runs every check over one snapshot.</summary>
public static class TrustInspection
{
    /// <summary>Returns all findings of all checks, the matrix and the clusters. Bad input never makes it stop or throw.</summary>
    public static TrustReport Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var proof = new Lazy<TrustMatrix>(() => TrustProof.Prove(snapshot));
        var checks = Checks(_ => proof.Value);
        if (snapshot.Peers.Count > 0) checks = [.. checks, .. PeerChecks.Rows];
        var live = snapshot.Istiods is { } istiods ? LiveProof.Prove(snapshot, istiods) : null;
        if (live is not null && snapshot.Istiods is { Istiods.Count: > 0 }) checks = [.. checks, .. LiveChecks.Rows(live)];
        checks = [.. checks, .. RemoteSecretChecks.For(snapshot)];
        var reports = new CheckReport[checks.Count];
        // The proof takes longest and starts first; the checks run in parallel with it.
        Parallel.For(-1, checks.Count, i =>
        {
            if (i >= 0) reports[i] = checks[i].Run(snapshot);
            else _ = Try(proof);
        });
        return new TrustReport
        {
            Mesh = snapshot.Topology.Name,
            At = snapshot.At,
            Clusters = [.. snapshot.Clusters.Select(c => Summarise(c, snapshot))],
            Matrix = Try(proof)
                ?? new TrustMatrix { Pairs = [], PathValidations = 0, Handshakes = 0, Method = "The trust matrix could not be computed." },
            Live = live is null ? null : new LiveMesh([.. snapshot.Istiods!.Istiods.Select(i => Summarise(snapshot, i))], live),
            Checks = [.. reports.OrderBy(r => r.Id, StringComparer.Ordinal)],
            TrustStore = snapshot.Files?.Directory,
            Drift = snapshot.Files is null ? [] : [.. Drift(snapshot, snapshot.Files)],
        };
    }

    /// <summary>Every trust check except those of connectivity, of remote secrets and of running istiods.</summary>
    /// <param name="prove">Computes the proof of all pairs, or returns one that was already computed.</param>
    internal static IReadOnlyList<Check<TrustSnapshot>> Checks(Func<TrustSnapshot, TrustMatrix> prove) =>
    [
        MeshChecks.PairsTrusted(prove),
        .. MeshChecks.Rows, .. SecretChecks.Rows, .. KeyChecks.Rows, .. ChainChecks.Rows, .. FileChecks.Rows,
    ];

    private static TrustMatrix? Try(Lazy<TrustMatrix> proof)
    {
        try
        {
            return proof.Value;
        }
        // The check of the pairs evaluates the same value and reports the exception.
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return null;
        }
    }

    private static ClusterReport Summarise(ClusterSnapshot cluster, TrustSnapshot snapshot) => new()
    {
        Name = cluster.Name.Value,
        Context = cluster.Context,
        Server = cluster.Server?.ToString(),
        Network = snapshot.Topology.Clusters.FirstOrDefault(c => c.Name == cluster.Name)?.Network,
        Roots = [.. cluster.Bundle?.Roots.Distinct().Select(Summarise) ?? []],
        Intermediate = cluster.Bundle?.Ca is { } ca ? Summarise(ca) : null,
        Chain = [.. cluster.Bundle?.Path.Skip(1).Select(Summarise) ?? []],
        SecretVersion = cluster.Live.Cacerts?.ResourceVersion,
        ManagedBy = cluster.Live.Cacerts?.Keeper,
        SecretCreatedAt = cluster.Live.Cacerts?.CreatedAt,
    };

    private static IstiodReport Summarise(TrustSnapshot snapshot, IstiodReading istiod)
    {
        var secret = snapshot.Clusters.First(c => c.Name == istiod.Cluster).Bundle;
        var ca = istiod.SigningCa(secret);
        var fault = istiod.Fault ?? istiod.Issued.Select(i => i.Fault).FirstOrDefault(f => f is not null);
        var isCurrent = istiod.IsCurrent(secret);
        return new IstiodReport(istiod.Cluster.Value, istiod.Revision, istiod.Pod, ca is null ? null : Summarise(ca), isCurrent,
            fault ?? (isCurrent is false ? "It has not loaded the CA of the secret." : null));
    }

    private static CertificateSummary Summarise(CertificateDocument certificate) =>
        new(certificate.Subject, certificate.SerialNumber, certificate.Sha256, certificate.NotAfter) { NotBefore = certificate.NotBefore };

    private static IEnumerable<SecretDrift> Drift(TrustSnapshot snapshot, TrustStoreSnapshot store) =>
        from cluster in snapshot.Clusters
        where !cluster.Lacks(SnapshotPart.Cacerts)
        from key in CacertsFile.OfCluster.Append(CacertsFile.Crl)
        let file = store.Find(key == CacertsFile.Crl ? key : $"{cluster.Name}/{key}")
        let held = cluster.Live.Cacerts is { } secret && secret.Data.TryGetValue(key, out var bytes) ? bytes : null
        where file is not null || held is not null
        let same = file is null || held is null ? (bool?)null : file.Content.Span.SequenceEqual(held)
        let detail = (file, held, same) switch
        {
            (null, _, _) => "It is in the cluster but not in the trust store.",
            (_, null, _) => "It is in the trust store but not in the cluster. Run PushSecrets.",
            (_, _, true) => null,
            _ => "The cluster and the trust store differ. Run PushSecrets, or check what else writes the secret.",
        }
        select new SecretDrift(cluster.Name.Value, key, same, detail);
}
