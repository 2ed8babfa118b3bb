using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// Repairs the files of a cluster whose format is wrong although key and certificate are good: text around the blocks, the wrong order, a
/// missing chain. They are rewritten with the same key and certificate. Pure.
/// </summary>
/// <param name="Files">The four files as they should be; a file in good format is unchanged, byte for byte.</param>
/// <param name="Reason">What was wrong and what is rewritten, as one or two sentences.</param>
internal sealed record CacertsRepair(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files, string Reason)
{
    /// <summary>The repair; null if the files are already good, or if they hold no key with a certificate under the root.</summary>
    internal static CacertsRepair? Try(
        ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, RootCa root, bool chainHasRoot)
    {
        if (!files.TryGetValue(CacertsFile.CaKey, out var keyFile) || Faults(cluster, files) is not { Count: > 0 } faults) return null;
        var (key, isKeyClean) = ReadKey(keyFile.Span);
        if (key is null) return null;
        var (ca, chain) = (Read(files, CacertsFile.CaCert), Read(files, CacertsFile.CertChain));
        List<CertificateDocument> known = [.. ca.Certificates, .. chain.Certificates, .. Read(files, CacertsFile.RootCert).Certificates];
        if (known.FirstOrDefault(key.Matches) is not { } certificate) return null;
        if (PathTo(root.Certificate, certificate, known) is not { } path) return null;

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
        if (Faults(cluster, repaired).Count > 0) return null;
        string[] written = [.. Changed(repaired, files).Select(f => f.Key)];
        var verb = written.Length == 1 ? "is" : "are";
        return new CacertsRepair(
            repaired, $"{Summary(faults)} {string.Join(" and ", written)} {verb} rewritten; the key and its certificate do not change.");
    }

    /// <summary>The intended files that are missing or have different bytes.</summary>
    internal static IEnumerable<KeyValuePair<string, ReadOnlyMemory<byte>>> Changed(
        IReadOnlyDictionary<string, ReadOnlyMemory<byte>> wanted, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files) =>
        wanted.Where(f => !files.TryGetValue(f.Key, out var there) || !there.Span.SequenceEqual(f.Value.Span));

    internal static string Summary(IReadOnlyList<Problem> faults) =>
        $"{faults[0].Location}: {faults[0].Message}{(faults.Count > 1 ? $" {faults.Count - 1} more like this." : "")}";

    /// <summary>
    /// istiod drops a whole update if one byte of root-cert.pem differs and multi-root is off (istio pilot/pkg/bootstrap/istio_ca.go).
    /// So a file that holds the current root is kept, apart from its format. Only a new or foreign one is written from the root's own file.
    /// </summary>
    internal static ReadOnlyMemory<byte> RootFile(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, RootCa root)
    {
        var document = Read(files, CacertsFile.RootCert);
        if (!document.Certificates.Contains(root.Certificate)) return root.CertificateFile;
        return IsClean(document) ? files[CacertsFile.RootCert] : PemDocument.Write(document.Certificates);
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

    private static List<CertificateDocument>? PathTo(
        CertificateDocument root, CertificateDocument certificate, List<CertificateDocument> known)
    {
        List<CertificateDocument> path = [certificate];
        while (!path[^1].Equals(root))
        {
            var child = path[^1];
            var parent = known.Prepend(root).FirstOrDefault(c => !path.Contains(c) && child.NamesIssuer(c) && child.IsSignedBy(c));
            if (parent is null) return null;
            path.Add(parent);
        }

        return path;
    }

    private static IReadOnlyList<Problem> Faults(ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
    {
        try
        {
            ClusterCacerts.FromFiles(cluster, files);
            return [];
        }
        catch (MeshTrustException fault)
        {
            return fault.Problems;
        }
    }
}
