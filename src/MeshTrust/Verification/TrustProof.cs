using System.Collections.Concurrent;

namespace MeshTrust.Verification;

/// <summary>
/// The heart of the verification: a probe leaf of every cluster against the roots of every cluster, by two path validations and by mutual TLS.
/// The same bytes give the same verdict, so the work is done once for each distinct (chain, roots); the report says how often.
/// </summary>
internal static class TrustProof
{
    /// <summary>Up to this many clusters a handshake is made for every single ordered pair.</summary>
    public const int LargestFullHandshake = 8;

    public static TrustMatrix Prove(TrustSnapshot snapshot)
    {
        var domain = snapshot.Topology.Trust.TrustDomain;
        var identities = new ProbeIdentity?[snapshot.Clusters.Count];
        try
        {
            Parallel.For(0, identities.Length, i => identities[i] = snapshot.Clusters[i].Bundle is { } bundle ? ProbeIdentity.Of(bundle, domain, snapshot.At) : null);
            return Prove(snapshot, identities);
        }
        finally
        {
            foreach (var identity in identities) identity?.Dispose();
        }
    }

    private static TrustMatrix Prove(TrustSnapshot snapshot, ProbeIdentity?[] identities)
    {
        var verdicts = new ConcurrentDictionary<(string, string), string?>();
        var plan = Plan(identities);
        // Handshakes and path validations do not need each other: the machine is never idle.
        var shaken = new HandshakeOutcome[plan.Count];
        var handshakes = Parallel.ForAsync(0, plan.Count, async (i, _) =>
            shaken[i] = await MutualTls.ShakeAsync(identities[plan[i].Client]!, identities[plan[i].Server]!, snapshot.At).ConfigureAwait(false));
        var combinations = (from f in identities where f is not null from t in identities where t is not null select (From: f, To: t)).DistinctBy(p => (p.From.ChainKey, p.To.RootKey)).ToList();
        Parallel.ForEach(combinations, p => verdicts[(p.From.ChainKey, p.To.RootKey)] = PathFault(p.From, p.To, snapshot.At));
        handshakes.GetAwaiter().GetResult();

        var faults = new Dictionary<(string, string), string>();
        var own = new HashSet<(int, int)>();
        for (var i = 0; i < plan.Count; i++)
        {
            var (client, server) = (identities[plan[i].Client]!, identities[plan[i].Server]!);
            // A client that refuses the server ends the handshake before the server has judged it.
            if (shaken[i].AgainstServer is null) own.Add(plan[i]);
            if (shaken[i].AgainstClient is { } c) faults.TryAdd((client.ChainKey, server.RootKey), $"mutual TLS: {c}");
            if (shaken[i].AgainstServer is { } s) faults.TryAdd((server.ChainKey, client.RootKey), $"mutual TLS: {s}");
            if (shaken[i].Fault is { } f) faults.TryAdd((client.ChainKey, server.RootKey), $"mutual TLS: {f}");
        }

        var pairs = new List<TrustPair>(identities.Length * identities.Length);
        for (var from = 0; from < identities.Length; from++)
        {
            for (var to = 0; to < identities.Length; to++) pairs.Add(Pair(snapshot, identities, from, to, verdicts, faults, own));
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
    }

    private static TrustPair Pair(
        TrustSnapshot snapshot,
        ProbeIdentity?[] identities,
        int from,
        int to,
        ConcurrentDictionary<(string, string), string?> verdicts,
        Dictionary<(string, string), string> faults,
        HashSet<(int, int)> own)
    {
        var missing = identities[from] is null ? from : identities[to] is null ? to : -1;
        var (reason, trusted) = ((string?)null, (bool?)null);
        if (missing >= 0)
        {
            var cluster = snapshot.Clusters[missing];
            reason = cluster.Lacks(SnapshotPart.Cacerts) ? $"the secret cacerts of '{cluster.Name}' could not be read" : $"'{cluster.Name}' has no secret cacerts";
        }
        else
        {
            var key = (identities[from]!.ChainKey, identities[to]!.RootKey);
            reason = verdicts[key] ?? faults.GetValueOrDefault(key);
            trusted = reason is null;
        }

        return new TrustPair
        {
            From = snapshot.Clusters[from].Name.Value,
            To = snapshot.Clusters[to].Name.Value,
            Trusted = trusted,
            Reason = reason,
            Handshaken = own.Contains((from, to)),
        };
    }

    /// <summary>Which handshakes to make: all, or as many as meet every distinct (chain, roots) and every cluster at least once.</summary>
    private static List<(int Client, int Server)> Plan(ProbeIdentity?[] identities)
    {
        var able = Enumerable.Range(0, identities.Length).Where(i => identities[i] is { ChainFault: null, TlsContext: not null }).ToList();
        if (able.Count <= LargestFullHandshake) return [.. from c in able from s in able select (c, s)];
        var plan = new List<(int, int)>();
        var met = new HashSet<(string, string)>();
        for (var distance = 1; distance <= able.Count; distance++)
        {
            for (var i = 0; i < able.Count; i++)
            {
                var (client, server) = (able[i], able[(i + distance) % able.Count]);
                var isNew = met.Add((identities[client]!.ChainKey, identities[server]!.RootKey)) | met.Add((identities[server]!.ChainKey, identities[client]!.RootKey));
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
            return CertificationPath.Fault(from.Leaf!.Certificate, from.Chain, to.Roots, from.TrustDomain, at) ?? PlatformPath.Fault(from, to.PlatformRoots, at);
        }
        // One pair that no library can judge must not end the proof of the others, and is not trusted.
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return $"the path could not be judged ({fault.GetType().Name})";
        }
    }

    private static string Describe(int pairs, int validations, int handshakes, string? version)
    {
        if (validations == 0) return $"Nothing could be proven: no cluster of {pairs} ordered pairs has a secret to look at.";
        var paths = validations == pairs ? $"{validations} path validations" : $"{validations} path validations, one for each distinct (chain, roots)";
        var tls = handshakes == pairs ? $"{handshakes} mutual-TLS handshakes" : $"{handshakes} mutual-TLS handshakes, each distinct (chain, roots) and each cluster at least once";
        return $"{pairs} ordered pairs: {paths}; {tls}{(version is null ? "" : $" ({version})")}.";
    }
}
