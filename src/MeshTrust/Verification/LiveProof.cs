using System.Text;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>Verifies what the istiods of each cluster issued with every set of roots that workloads of every cluster hold.</summary>
internal static class LiveProof
{
    public static TrustMatrix Prove(TrustSnapshot snapshot, LiveReading live)
    {
        if (live.Istiods.Count == 0)
            return Empty("istiod has not run in any cluster yet, so there is nothing to prove. Install Istio, then run Verify again.");
        if (!live.Istiods.SelectMany(i => i.Issued).Any(i => i.Certificate is not null))
            return Empty($"No istiod issued a certificate. {string.Join(" ", live.Istiods.Select(i => $"{i.Name}: {Why(i)}"))}");
        var (names, identities) = (new List<string>(), new List<ProbeIdentity?>());
        try
        {
            foreach (var cluster in snapshot.Clusters)
            {
                foreach (var identity in Identities(cluster, live).DefaultIfEmpty())
                {
                    names.Add(cluster.Name.Value);
                    identities.Add(identity);
                }
            }

            return Fold(TrustProof.Prove(names, identities, i => $"'{names[i]}' has no readable istio-ca-root-cert", live.At));
        }
        finally
        {
            foreach (var identity in identities) identity?.Dispose();
        }
    }

    /// <summary>One workload for each certificate that was issued and each file of roots.</summary>
    private static IEnumerable<ProbeIdentity> Identities(ClusterSnapshot cluster, LiveReading live)
    {
        var issued = live.Istiods.SelectMany(i => i.Issued.Where(n => n.Cluster == cluster.Name)).ToList();
        var fault = issued.Select(i => i.Fault).Concat(live.Istiods.Where(i => i.Cluster == cluster.Name).Select(i => i.Fault))
            .FirstOrDefault(f => f is not null) ?? "istiod does not run there.";
        // Several pods of an istiod with the same CA issue the same chain.
        var workloads = issued.Where(i => i.Certificate is not null)
            .DistinctBy(i => (i.SpiffeId, i.Certificate!.Leaf.Issuer, string.Concat(i.Certificate.Chain.Select(c => c.Sha256))))
            .DefaultIfEmpty();
        var crls = cluster.PublishedCrl is { } text ? RevocationLists.Parse(CacertsFile.Crl, Encoding.UTF8.GetBytes(text)) : null;
        return from workload in workloads
               from roots in cluster.Live.HeldFiles
               let unknown = $"no certificate was issued: {fault.TrimEnd('.')}"
               select new ProbeIdentity(workload?.SpiffeId ?? "", workload?.Certificate, unknown, roots, crls);
    }

    /// <summary>Several workloads of a cluster are one row: the worst of their verdicts counts.</summary>
    private static TrustMatrix Fold(TrustMatrix matrix)
    {
        TrustPair[] pairs =
        [
            .. matrix.Pairs.GroupBy(p => (p.From, p.To))
                .Select(same => same.OrderBy(p => p.Trusted switch { false => 0, null => 1, true => 2 }).First() with
                {
                    Handshaken = same.Any(p => p.Handshaken),
                }),
        ];
        return matrix with
        {
            Pairs = pairs,
            Method = "Each istiod was asked for a workload certificate. "
                + TrustProof.Describe(pairs.Length, matrix.PathValidations, matrix.Handshakes, matrix.TlsVersion),
        };
    }

    private static string Why(IstiodReading istiod) =>
        istiod.Fault ?? istiod.Issued.Select(i => i.Fault).FirstOrDefault(f => f is not null) ?? "It was not asked.";

    private static TrustMatrix Empty(string why) => new() { Pairs = [], PathValidations = 0, Handshakes = 0, Method = why };
}
