using System.Collections.Concurrent;
using MeshTrust.IO;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>Every ordered pair of clusters, including each with itself, and how the verdicts were reached.</summary>
public sealed record TrustMatrix
{
    /// <summary>All pairs, ordered by the first and then the second cluster of the topology.</summary>
    public required IReadOnlyList<TrustPair> Pairs { get; init; }

    /// <summary>The number of path validations: one for each distinct (chain, roots).</summary>
    public required int PathValidations { get; init; }

    /// <summary>The number of mutual TLS handshakes.</summary>
    public required int Handshakes { get; init; }

    /// <summary>The TLS version of the handshakes, such as <c>TLS 1.3</c>; null if there were none.</summary>
    public string? TlsVersion { get; init; }

    /// <summary>What was done, as a sentence.</summary>
    public required string Method { get; init; }

    /// <summary>The number of trusted pairs.</summary>
    public int Trusted => Pairs.Count(p => p.Trusted is true);
}

/// <summary>One ordered pair of clusters: is a workload of the first trusted in the second?</summary>
/// <param name="From">The cluster whose CA signed the workload's certificate.</param>
/// <param name="To">The cluster whose roots had to verify it.</param>
/// <param name="Trusted">The verdict; null if a secret could not be read.</param>
/// <param name="Reason">The broken link and why; null if trusted.</param>
/// <param name="Handshaken">Whether a mutual TLS handshake was made for this pair, rather than for one with the same bytes.</param>
public sealed record TrustPair(string From, string To, bool? Trusted, string? Reason, bool Handshaken);

/// <summary>
/// The core of the verification: checks a probe leaf of every cluster against the roots of every cluster, with two path validations and
/// mutual TLS. The same bytes give the same verdict, so the work is done once for each distinct (chain, roots); the report shows the count.
/// </summary>
internal static class TrustProof
{
    /// <summary>Up to this number of clusters, a handshake is made for every ordered pair.</summary>
    public const int LargestFullHandshake = 8;

    public static TrustMatrix Prove(TrustSnapshot snapshot)
    {
        var identities = new ProbeIdentity?[snapshot.Clusters.Count];
        try
        {
            Parallel.For(0, identities.Length, i => identities[i] = Identity(snapshot, snapshot.Clusters[i]));
            var names = snapshot.Clusters.Select(c => c.Name.Value).ToList();
            var matrix = Prove(names, identities, i => Absence(snapshot.Clusters[i]), snapshot.At);
            return snapshot.Clusters.All(c => c.Live.Published is null) ? matrix : matrix with
            {
                Method = matrix.Method
                    + " The certificates come from the CAs in the secrets; a running istiod may still use an earlier intermediate.",
            };
        }
        finally
        {
            foreach (var identity in identities) identity?.Dispose();
        }
    }

    private static ProbeIdentity? Identity(TrustSnapshot snapshot, ClusterSnapshot cluster)
    {
        var live = cluster.Live;
        if (live.RootFile is not { } roots || cluster.Lacks(SnapshotPart.Cacerts)) return null;
        var signing = live.Signing;
        // In a remote cluster the istiod of its primary signs.
        var primary = snapshot.Topology.Clusters.FirstOrDefault(c => c.Name == cluster.Name)?.Primary;
        if (signing is null && snapshot.Clusters.FirstOrDefault(c => c.Name == primary && c != cluster) is { Live: { } serving })
            signing = LiveTrust.Same(serving.Roots, live.Roots) ? serving.Signing : null;
        return new ProbeIdentity(
            cluster.Name.Value, signing, roots, cluster.TrustDomain(snapshot.Topology), cluster.IstiodNames, snapshot.At);
    }

    /// <summary>Checks each identity against each; the caller disposes them.</summary>
    /// <param name="names">The cluster of each identity.</param>
    /// <param name="identities">Null for one that could not be read.</param>
    /// <param name="absence">Why the n-th is null, as a clause.</param>
    /// <param name="at">When certificates have to be valid.</param>
    public static TrustMatrix Prove(
        IReadOnlyList<string> names, IReadOnlyList<ProbeIdentity?> identities, Func<int, string> absence, DateTimeOffset at)
    {
        var plan = Plan(identities);
        // Handshakes and path validations are independent and run in parallel.
        var shaken = new HandshakeOutcome[plan.Count];
        var handshakes = Parallel.ForAsync(0, plan.Count, async (i, _) =>
            shaken[i] = await MutualTls.ShakeAsync(plan[i].Client, plan[i].Server, at).ConfigureAwait(false));
        var present = identities.OfType<ProbeIdentity>().ToList();
        var combinations = (from f in present where f.Unknown is null from t in present select (From: f, To: t))
            .DistinctBy(p => Bytes(p.From, p.To)).ToList();
        var verdicts = new ConcurrentDictionary<(string Chain, string Roots), string?>();
        Parallel.ForEach(combinations, p => verdicts[Bytes(p.From, p.To)] = PathFault(p.From, p.To, at));
        handshakes.GetAwaiter().GetResult();

        var own = new HashSet<(ProbeIdentity, ProbeIdentity)>();
        foreach (var ((client, server), outcome) in plan.Zip(shaken))
        {
            // A client that rejects the server ends the handshake before the server has verified it.
            if (outcome.AgainstServer is null) own.Add((client, server));
            Add(client, server, outcome.AgainstClient);
            Add(server, client, outcome.AgainstServer);
            Add(client, server, outcome.Fault);
        }

        var pairs = new List<TrustPair>(identities.Count * identities.Count);
        for (var from = 0; from < identities.Count; from++)
        {
            for (var to = 0; to < identities.Count; to++)
            {
                var (client, server) = (identities[from], identities[to]);
                if (client is { Unknown: null } && server is not null)
                {
                    var reason = verdicts[Bytes(client, server)] ?? (from == to ? client.OwnFault : null);
                    pairs.Add(new TrustPair(names[from], names[to], reason is null, reason, own.Contains((client, server))));
                }
                else
                {
                    var reason = client?.Unknown ?? absence(client is null ? from : to);
                    pairs.Add(new TrustPair(names[from], names[to], null, reason, Handshaken: false));
                }
            }
        }

        var version = shaken.Select(s => s.TlsVersion).FirstOrDefault(v => v is not null);
        return new TrustMatrix
        {
            Pairs = pairs,
            PathValidations = combinations.Count,
            Handshakes = plan.Count,
            TlsVersion = version,
            Method = Describe(pairs.Count, combinations.Count, plan.Count, version),
        };

        // A path validation names the broken link; the handshake counts only if that found nothing.
        void Add(ProbeIdentity from, ProbeIdentity to, string? fault)
        {
            if (fault is not null && verdicts[Bytes(from, to)] is null) verdicts[Bytes(from, to)] = $"mutual TLS: {fault}";
        }
    }

    private static (string Chain, string Roots) Bytes(ProbeIdentity from, ProbeIdentity to) => (from.ChainKey, to.RootKey);

    private static string Absence(ClusterSnapshot cluster) => cluster.Lacks(SnapshotPart.Cacerts)
        ? $"the cacerts secret of '{cluster.Name}' could not be read"
        : $"'{cluster.Name}' has no cacerts secret";

    /// <summary>Which handshakes to make: all, or enough to cover every distinct (chain, roots) and every cluster at least once.</summary>
    private static List<(ProbeIdentity Client, ProbeIdentity Server)> Plan(IEnumerable<ProbeIdentity?> identities)
    {
        var able = identities.OfType<ProbeIdentity>().Where(i => i is { ChainFault: null, TlsContext: not null }).ToList();
        if (able.Count <= LargestFullHandshake) return [.. from c in able from s in able select (c, s)];
        var plan = new List<(ProbeIdentity, ProbeIdentity)>();
        var met = new HashSet<(string, string)>();
        for (var distance = 1; distance <= able.Count; distance++)
        {
            for (var i = 0; i < able.Count; i++)
            {
                var (client, server) = (able[i], able[(i + distance) % able.Count]);
                var isNew = met.Add(Bytes(client, server)) | met.Add(Bytes(server, client));
                // Distance 1 is a ring: every cluster is client once and server once.
                if (isNew || distance == 1) plan.Add((client, server));
            }
        }

        return plan;
    }

    private static string? PathFault(ProbeIdentity from, ProbeIdentity to, DateTimeOffset at)
    {
        if (from.ChainFault is { } chain) return chain;
        if (to.RootFault is { } root) return root;
        try
        {
            return CertificationPath.Fault(from.Leaf!, from.Chain, to.Roots, at)
                ?? PlatformPath.Fault(from.LeafWithKey!, from.PlatformChain, to.PlatformRoots, at)
                ?? to.Crls?.Fault(CertificateChain.Path(from.Leaf!, [.. to.Roots, .. from.Chain]), at);
        }
        // A pair that cannot be validated must not stop the proof of the others, and is not trusted.
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return $"the path could not be validated ({fault.GetType().Name})";
        }
    }

    internal static string Describe(int pairs, int validations, int handshakes, string? version)
    {
        if (validations == 0) return $"Nothing could be verified: none of the {pairs} cluster pairs has readable secrets.";
        var paths = validations == pairs
            ? Text.Count(validations, "path validation")
            : $"{validations} path validations, one for each distinct (chain, roots)";
        var tls = handshakes == pairs
            ? Text.Count(handshakes, "mutual TLS handshake")
            : $"{handshakes} mutual TLS handshakes, covering each distinct (chain, roots) and each cluster at least once";
        return $"{Text.Count(pairs, "cluster pair")}: {paths}; {tls}{(version is null ? "" : $" ({version})")}.";
    }
}
