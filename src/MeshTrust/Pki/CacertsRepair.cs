using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// Repairs the files of a cluster whose key and certificate are good: text around the blocks, the wrong order, a missing chain, the
/// certificate of a root that was renewed with its key. They are rewritten with the same key and certificate. Pure.
/// </summary>
/// <param name="Files">The four files as they should be; a file in good format is unchanged, byte for byte.</param>
/// <param name="Reason">What was wrong and what is rewritten, as one or two sentences.</param>
internal sealed record CacertsRepair(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files, string Reason)
{
    /// <summary>The repair; null if the files are already good, or if they hold no key with a certificate under the root.</summary>
    internal static CacertsRepair? Try(
        ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, RootCa root, bool chainHasRoot)
    {
        if (!files.TryGetValue(CacertsFile.CaKey, out var keyFile) || Fault(cluster, files, root) is not { } fault) return null;
        var (key, isKeyClean) = ReadKey(keyFile.Span);
        if (key is null) return null;
        var (ca, chain) = (Read(files, CacertsFile.CaCert), Read(files, CacertsFile.CertChain));
        CertificateDocument[] known = [.. root.Roots, .. root.Chain, .. ca.Certificates, .. chain.Certificates];
        if (Array.Find(known, key.Matches) is not { } certificate) return null;
        var path = CertificateChain.Path(certificate, known);
        if (!root.Roots.Contains(path[^1])) return null;

        var wanted = chainHasRoot || path.Count == 1 ? path : path.SkipLast(1);
        var repaired = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal)
        {
            [CacertsFile.CaCert] = IsClean(ca) && ca.Certificates[0].Equals(certificate)
                ? files[CacertsFile.CaCert]
                : PemDocument.Write([certificate]),
            [CacertsFile.CaKey] = isKeyClean ? keyFile : key.ToPem(),
            [CacertsFile.CertChain] = IsClean(chain) && chain.Certificates.SequenceEqual(wanted)
                ? files[CacertsFile.CertChain]
                : PemDocument.Write(wanted),
            [CacertsFile.RootCert] = RootFile(files, root),
        };
        if (Fault(cluster, repaired, root) is not null) return null;
        string[] written = [.. Changed(repaired, files).Select(f => f.Key)];
        var verb = written.Length == 1 ? "is" : "are";
        return new CacertsRepair(
            repaired, $"{fault} {string.Join(" and ", written)} {verb} rewritten; the key and its certificate do not change.");
    }

    /// <summary>The intended files that are missing or have different bytes.</summary>
    internal static IEnumerable<KeyValuePair<string, ReadOnlyMemory<byte>>> Changed(
        IReadOnlyDictionary<string, ReadOnlyMemory<byte>> wanted, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files) =>
        wanted.Where(f => !files.TryGetValue(f.Key, out var there) || !there.Span.SequenceEqual(f.Value.Span));

    internal static string Summary(IReadOnlyList<Problem> faults) =>
        $"{faults[0].Location}: {faults[0].Message}{(faults.Count > 1 ? $" {faults.Count - 1} more like this." : "")}";

    /// <summary>
    /// istiod drops a whole update if one byte of root-cert.pem differs and multi-root is off (istio pilot/pkg/bootstrap/istio_ca.go).
    /// So a file that holds the current root is kept, apart from its format, and a renewed root takes the place of its earlier certificate.
    /// Only a missing or foreign one is written from the root's own file.
    /// </summary>
    internal static ReadOnlyMemory<byte> RootFile(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, RootCa root)
    {
        var document = Read(files, CacertsFile.RootCert);
        if (document.Certificates.Any(root.Roots.Contains))
            return IsClean(document) ? files[CacertsFile.RootCert] : PemDocument.Write(document.Certificates);
        var renewed = document.Certificates.Select(c => c.IsRenewalOf(root.Certificate) ? root.Certificate : c).Distinct().ToList();
        return renewed.Count > 1 && renewed.Contains(root.Certificate) ? PemDocument.Write(renewed) : root.CertificateFile;
    }

    private static PemDocument Read(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, string file) =>
        PemDocument.Parse(file, files.TryGetValue(file, out var content) ? content.Span : []);

    private static bool IsClean(PemDocument document) =>
        document.Defects.Count == 0 && document.Blocks.Count == document.Certificates.Count;

    /// <summary>The key, even if the file also has other text or blocks (OpenSSL's EC PARAMETERS, a certificate).</summary>
    private static (PrivateKeyPem? Key, bool IsClean) ReadKey(ReadOnlySpan<byte> file)
    {
        if (PrivateKeyPem.TryParse(CacertsFile.CaKey, file, out var key, out _)) return (key, true);
        var keys = PemDocument.Parse(CacertsFile.CaKey, file).Blocks.Where(block => PemLabel.IsKey(block.Label)).ToList();
        return (keys is [var only] && PrivateKeyPem.TryRead(only, out key, out _) ? key : null, false);
    }

    private static string? Fault(ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, RootCa root)
    {
        try
        {
            var held = ClusterCacerts.FromFiles(cluster, files).Root;
            if (root.Roots.Contains(held)) return null;
            return held.IsRenewalOf(root.Certificate)
                ? "The root was renewed with the same name and key, so what it issued stays valid."
                : $"{cluster}/{CacertsFile.RootCert}: It holds {held}, but the root is {root.Certificate}.";
        }
        catch (MeshTrustException fault)
        {
            return Summary(fault.Problems);
        }
    }
}
