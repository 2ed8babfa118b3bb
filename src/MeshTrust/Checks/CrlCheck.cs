using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5023: where there are revocation lists, there is a good one for every CA of the chain.</summary>
public sealed class CrlCheck : TrustCheck
{
    private const string Consequence = "istiod drops the CRL and any key rotation that comes with it";

    /// <inheritdoc/>
    public override string Id => "MT5023";

    /// <inheritdoc/>
    public override string Title => "revocation lists cover every CA of the chain";

    /// <inheritdoc/>
    public override string Citation => "istio security/pkg/pki/util/keycertbundle.go, verifyCRL; RFC 5280 sections 5.1.2.5 and 6.3.3; istio/istio#61075, #61073";

    /// <inheritdoc/>
    public override IReadOnlyList<SnapshotPart> Needs => [SnapshotPart.Cacerts, SnapshotPart.Crl];

    /// <inheritdoc/>
    public override string? NotApplicable(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Clusters.Any(c => c.Bundle?.Crl is not null || c.Crl is not null) ? null : "no cluster has revocation lists (ca-crl.pem, istio-ca-crl)";
    }

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        foreach (var cluster in snapshot.Clusters.Where(c => c.Bundle is not null))
        {
            var text = cluster.Bundle!.Crl;
            var handedOut = cluster.Crl?.Data.GetValueOrDefault("ca-crl.pem");
            if (text is null && handedOut is not null) yield return Warning(cluster, "istio-ca-crl is there, but the secret has no ca-crl.pem: istiod never clears it while it runs.", "If the list was removed on purpose: istiod stops handing it out at its next restart.");
            if (text is null) continue;
            if (handedOut is not null && !text.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(handedOut))) yield return Warning(cluster, "istio-ca-crl holds another list than ca-crl.pem in the secret.", "Look for 'CRL' in istiod's log: one bad list keeps the old one alive.");
            if (cluster.Bundle.IsTls) yield return Warning(cluster, "The secret has tls.crt and ca-crl.pem: istiod ignores the list in this layout.", "Use the layout of the four *.pem keys.");
            foreach (var finding in Inspect(snapshot, cluster, text)) yield return finding;
        }
    }

    private IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot, ClusterSnapshot cluster, byte[] text)
    {
        var file = PemDocument.Parse($"{cluster.Name}/ca-crl.pem", text);
        var lists = new List<CrlDocument>();
        foreach (var block in file.Blocks)
        {
            if (block.Label == "X509 CRL" && CrlDocument.TryFromDer(block.Der, out var crl)) lists.Add(crl);
            else yield return Error(cluster, $"{file.Name}: the block at line {block.Line} is no revocation list.", "Leave only X509 CRL blocks in the file.");
        }

        foreach (var defect in PemHygiene.Broken(file).Where(d => !d.Contains("X509 CRL", StringComparison.Ordinal))) yield return Error(cluster, $"{file.Name}: {defect}", "Write the file anew, one list for each CA.");
        foreach (var ca in cluster.Bundle!.Chain.Distinct())
        {
            var own = lists.Where(l => l.RawIssuer.Span.SequenceEqual(ca.RawSubject.Span) && l.IsSignedBy(ca)).ToList();
            if (own.Count == 0) yield return Error(cluster, $"{file.Name} has no CRL from '{ca.Subject}': {Consequence}.", "Add one list for each certificate of cert-chain.pem.");
            else if (own.All(l => l.NextUpdate < snapshot.At)) yield return Error(cluster, $"The CRL of '{ca.Subject}' was due for replacement at {own[^1].NextUpdate:u}.", "Issue a new list.");
            if (ca.KeyUsage is { } usage && !usage.HasFlag(CertificateKeyUsage.CrlSign)) yield return Error(cluster, $"'{ca.Subject}' lacks cRLSign, so its list counts for nothing: {Consequence}.", "Issue the CA anew with cRLSign (Istio's Makefile leaves it out).");
        }

        foreach (var twins in cluster.Bundle.Chain.Distinct().GroupBy(c => c.Subject).Where(g => g.Count() > 1))
        {
            yield return Error(cluster, $"Two certificates of the chain are called '{twins.Key}': istiod finds lists by that name, so one hides the other.", "Issue the intermediate with a subject of its own.");
        }
    }
}
