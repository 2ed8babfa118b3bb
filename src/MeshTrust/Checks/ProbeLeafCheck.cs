using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5002: a workload of every cluster is verifiable in every cluster, proven with probe leaves.</summary>
/// <param name="prove">Makes the proof, or hands out one that is made already.</param>
public sealed class ProbeLeafCheck(Func<TrustSnapshot, TrustMatrix> prove) : TrustCheck
{
    // Above this many clusters, pairs with one reason are told in one finding.
    private const int MostSingly = 12;

    /// <summary>A check that makes the proof itself.</summary>
    public ProbeLeafCheck()
        : this(TrustProof.Prove)
    {
    }

    /// <inheritdoc/>
    public override string Id => "MT5002";

    /// <inheritdoc/>
    public override string Title => "a workload of every cluster is trusted in every cluster";

    /// <inheritdoc/>
    public override string Citation => "RFC 5280 section 6; RFC 8446 section 4.4.2; SPIFFE X.509-SVID section 5; istio/istio#32501, #52356";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var broken = prove(snapshot).Pairs.Where(p => p.Trusted is false).ToList();
        return snapshot.Clusters.Count <= MostSingly ? broken.Select(Single) : broken.GroupBy(p => (p.From, p.Reason)).Select(g => Many([.. g]));
    }

    private TrustFinding Single(TrustPair pair) => new()
    {
        Id = Id,
        Severity = Severity.Error,
        Cluster = pair.From,
        Peer = pair.To,
        Message = $"A workload of '{pair.From}' is not verifiable in '{pair.To}': {pair.Reason}.",
        Hint = Hint(pair),
    };

    private TrustFinding Many(IReadOnlyList<TrustPair> pairs) => new()
    {
        Id = Id,
        Severity = Severity.Error,
        Cluster = pairs[0].From,
        Peer = pairs.Count == 1 ? pairs[0].To : null,
        Message = $"A workload of '{pairs[0].From}' is not verifiable in {pairs.Count} clusters ({string.Join(", ", pairs.Take(8).Select(p => p.To))}{(pairs.Count > 8 ? ", .." : "")}): {pairs[0].Reason}.",
        Hint = Hint(pairs[0]),
    };

    private static string Hint(TrustPair pair) => pair.From == pair.To
        ? $"Not even '{pair.From}' trusts its own workloads: mend its secret cacerts first (the other findings name the link)."
        : $"Compare the roots and the chain of the two (MT5001, MT5004), then issue the intermediate of '{pair.From}' anew.";
}
