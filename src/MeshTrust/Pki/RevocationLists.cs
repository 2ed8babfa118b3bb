using System.Security.Cryptography;

namespace MeshTrust.Pki;

/// <summary>
/// The content of <c>ca-crl.pem</c>. A sidecar that has it rejects a peer unless it holds a list of every CA in the peer's chain, wherever
/// the peer runs (envoy CertificateValidationContext.crl). So the file is the same for all clusters, and has the lists of all their CAs.
/// </summary>
/// <param name="Lists">The lists, in the order of the file.</param>
/// <param name="Defects">What some parser would reject, as sentences.</param>
/// <param name="Digest">Equal if the bytes are.</param>
internal sealed record RevocationLists(IReadOnlyList<CrlDocument> Lists, IReadOnlyList<string> Defects, string Digest = "")
{
    internal static RevocationLists Parse(string name, ReadOnlySpan<byte> text)
    {
        var file = PemDocument.Parse(name, text);
        var (lists, defects) = (new List<CrlDocument>(), new List<string>());
        foreach (var block in file.Blocks)
        {
            if (block.Label == PemLabel.Crl && CrlDocument.TryFromDer(block.Der, out var crl)) lists.Add(crl);
            else defects.Add($"The block at line {block.Line} is not a valid CRL.");
        }

        return new RevocationLists(lists, [.. defects, .. file.Breaks(PemLabel.Crl)], Convert.ToHexString(SHA256.HashData(text)));
    }

    /// <summary>The list of a CA that is valid longest; null if there is none.</summary>
    internal CrlDocument? Of(CertificateDocument ca) => Lists.Where(l => l.IsOf(ca)).MaxBy(l => l.NextUpdate ?? DateTimeOffset.MaxValue);

    /// <summary>
    /// Why a peer that checks every list rejects a certificate with these CAs, as a clause; null if it accepts it. Without a time, the ends
    /// of the lists are ignored.
    /// </summary>
    internal string? Fault(IReadOnlyList<CertificateDocument> path, DateTimeOffset? at)
    {
        foreach (var ca in path.Where(c => c.IsCa))
        {
            if (Of(ca) is not { } list) return $"{CacertsFile.Crl} has no CRL of '{ca.Subject}'";
            if (list.NextUpdate < at) return $"the CRL of '{ca.Subject}' expired at {list.NextUpdate:u}";
            if (path.FirstOrDefault(c => c.NamesIssuer(ca) && list.Revokes(c.SerialBytes)) is { } revoked)
                return $"the CRL of '{ca.Subject}' revokes '{revoked.Subject}' ({revoked.SerialNumber})";
        }

        return null;
    }
}
