using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>The names of the files, which are also the keys of the secret <c>cacerts</c> (istio security/pkg/pki/ca/ca.go).</summary>
internal static class CacertsFile
{
    internal const string CaCert = "ca-cert.pem";
    internal const string CaKey = "ca-key.pem";

    /// <summary>The intermediate, its issuers, and (as in the Makefile) the root.</summary>
    internal const string CertChain = "cert-chain.pem";

    /// <summary>The root, byte for byte the same in every cluster.</summary>
    internal const string RootCert = "root-cert.pem";

    /// <summary>The CRLs, in the store's own directory: one file for all clusters. istiod reads it since 1.27.</summary>
    internal const string Crl = "ca-crl.pem";

    /// <summary>The key of the root, or of the CA under it that issues; only in the store's own directory, never in a cluster's.</summary>
    internal const string RootKey = "root-key.pem";

    /// <summary>In the store's own directory, if the root does not issue itself: the CA that does, and those above it.</summary>
    internal const string IssuerChain = "issuer-chain.pem";

    internal static IReadOnlyList<string> OfCluster { get; } = [CaCert, CaKey, CertChain, RootCert];
}

/// <summary>
/// The four files of one cluster, always valid: strict PEM, the key matches the certificate, the chain starts with it, every link is a CA
/// signed by the next, no path length is exceeded, and it ends at a root of <c>root-cert.pem</c>.
/// </summary>
/// <remarks>
/// Like istio security/pkg/pki/util/keycertbundle.go, but stricter: istiod accepts files that its workloads' peers reject.
/// </remarks>
public sealed class ClusterCacerts
{
    private readonly IReadOnlyDictionary<string, ReadOnlyMemory<byte>> _files;

    private ClusterCacerts(
        ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, PrivateKeyPem key,
        IReadOnlyList<CertificateDocument> chain, bool chainHasRoot) =>
        (Cluster, _files, Key, Chain, ChainHasRoot) = (cluster, files, key, chain, chainHasRoot);

    /// <summary>The cluster.</summary>
    public ClusterName Cluster { get; }

    /// <summary>The intermediate first, its root last; at least one.</summary>
    public IReadOnlyList<CertificateDocument> Chain { get; }

    /// <summary>The certificate that signs the cluster's workloads.</summary>
    public CertificateDocument Certificate => Chain[0];

    /// <summary>The root that it chains to.</summary>
    public CertificateDocument Root => Chain[^1];

    /// <summary>Whether <c>cert-chain.pem</c> ends with the root, as the Makefile writes it.</summary>
    public bool ChainHasRoot { get; }

    /// <summary><c>ca-crl.pem</c>, which is the same for all clusters; null if no CRLs are used.</summary>
    internal ReadOnlyMemory<byte>? Crl { get; private init; }

    internal PrivateKeyPem Key { get; }
    internal ReadOnlyMemory<byte> CertChain => _files[CacertsFile.CertChain];
    internal ReadOnlyMemory<byte> RootCert => _files[CacertsFile.RootCert];

    /// <summary>The four files by name, byte for byte. They include the key: only for the secret or for files of mode 0600.</summary>
    internal IReadOnlyDictionary<string, ReadOnlyMemory<byte>> ToFiles() => _files;

    /// <summary>Validates the four files' content.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="files">The content by file name; <c>ca-crl.pem</c> may be among them, and is not validated.</param>
    /// <exception cref="MeshTrustException">They are not valid: MT5112 for each reason. The locations are <c>cluster/file</c>.</exception>
    public static ClusterCacerts FromFiles(ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(files);
        var defects = new Defects(cluster);
        foreach (var file in CacertsFile.OfCluster.Where(f => !files.ContainsKey(f))) defects.Add(file, "It is missing.");
        defects.ThrowIfAny();

        var caCert = Certificates(CacertsFile.CaCert);
        var certChain = Certificates(CacertsFile.CertChain);
        var roots = Certificates(CacertsFile.RootCert);
        if (!PrivateKeyPem.TryParse(CacertsFile.CaKey, files[CacertsFile.CaKey].Span, out var key, out var reason))
            defects.Add(CacertsFile.CaKey, reason);
        else if (key.Refusal is { } refusal) defects.Add(CacertsFile.CaKey, refusal);
        defects.ThrowIfAny();

        if (key!.Mismatch(caCert[0], CacertsFile.CaCert) is { } mismatch) defects.Add(CacertsFile.CaKey, mismatch);
        if (!certChain[0].Equals(caCert[0]))
        {
            defects.Add(CacertsFile.CertChain,
                $"It does not start with the certificate of {CacertsFile.CaCert}: it starts with '{certChain[0].Subject}'.");
        }

        var (chain, top) = (UpToRoot(certChain, roots), certChain[^1]);
        if (chain is null)
        {
            defects.Add(CacertsFile.CertChain, $"It ends with '{top.Subject}', issued by '{top.Issuer}', which is not in root-cert.pem. "
                + $"Add the certificate of '{top.Issuer}' to {CacertsFile.CertChain}, or to {CacertsFile.RootCert} if it is the root.");
        }

        // What is in the file beyond the root must be in order too.
        var beyond = chain is null || !certChain.All(chain.Contains) ? CertificateChain.Defects(certChain) : [];
        foreach (var defect in beyond.Union(CertificateChain.Defects(chain ?? []))) defects.Add(CacertsFile.CertChain, defect);
        defects.ThrowIfAny();
        var inFile = certChain.Contains(chain![^1]);
        return new ClusterCacerts(cluster, CacertsFile.OfCluster.ToDictionary(f => f, f => files[f]), key, chain, inFile)
        {
            Crl = files.TryGetValue(CacertsFile.Crl, out var crl) ? crl : (ReadOnlyMemory<byte>?)null,
        };

        IReadOnlyList<CertificateDocument> Certificates(string file)
        {
            var document = PemDocument.Parse(file, files[file].Span);
            foreach (var defect in document.Defects) defects.Add(file, defect);
            foreach (var block in document.Blocks.Where(b => b.Label is not PemLabel.Certificate && document.Form is null))
                defects.Add(file, $"The block at line {block.Line} is '{block.Label}'; only certificates belong here.");
            return document.Certificates;
        }
    }

    /// <summary>The chain with the last root that it leads to. Any certificate of root-cert.pem ends it, self-signed or not.</summary>
    private static List<CertificateDocument>? UpToRoot(IReadOnlyList<CertificateDocument> chain, IReadOnlyList<CertificateDocument> roots)
    {
        for (var last = chain.Count - 1; last >= 0; last--)
        {
            var path = chain.Take(last + 1);
            if (!chain[last].IsSelfIssued && roots.FirstOrDefault(r => r.Issued(chain[last])) is { } root) return [.. path, root];
            if (roots.Contains(chain[last])) return [.. path];
        }

        // Its defects say that the signature is not the root's.
        return roots.FirstOrDefault(chain[^1].NamesIssuer) is { } namesake ? [.. chain, namesake] : null;
    }

    /// <summary>Newly issued files: the same rules, without parsing them again.</summary>
    internal static ClusterCacerts FromIssued(
        ClusterName cluster, CertificateDocument certificate, PrivateKeyPem key, IReadOnlyList<CertificateDocument> issuers,
        ReadOnlyMemory<byte> rootFile, bool chainHasRoot)
    {
        CertificateDocument[] chain = [certificate, .. issuers];
        var defects = CertificateChain.Defects(chain).ToList();
        if (!key.Matches(certificate)) defects.Add("The key does not match.");
        if (defects.Count > 0) throw new InvalidOperationException(string.Join(' ', defects));
        return new ClusterCacerts(cluster, FilesOf(chain, key, rootFile, chainHasRoot), key, chain, chainHasRoot);
    }

    /// <summary>The four files for a key and the chain of its certificate, not validated.</summary>
    internal static Dictionary<string, ReadOnlyMemory<byte>> FilesOf(
        IReadOnlyList<CertificateDocument> chain, PrivateKeyPem key, ReadOnlyMemory<byte> rootFile, bool chainHasRoot) => new()
        {
            [CacertsFile.CaCert] = PemDocument.Write([chain[0]]),
            [CacertsFile.CaKey] = key.ToPem(),
            [CacertsFile.CertChain] = PemDocument.Write(chainHasRoot ? chain : chain.SkipLast(1)),
            [CacertsFile.RootCert] = rootFile,
        };

    /// <summary>The cluster, the certificate and the key type; never the key.</summary>
    public override string ToString() => $"cacerts of {Cluster}: {Certificate}, {Key}";

    private sealed class Defects(ClusterName cluster)
    {
        private readonly List<Problem> _problems = [];

        internal void Add(string file, string defect) => _problems.Add(new Problem("MT5112", $"{cluster}/{file}", defect,
            "Run ClusterCacerts: it reissues this cluster's files under the current root."));

        internal void ThrowIfAny()
        {
            if (_problems.Count > 0) throw new MeshTrustException(Stage.CertificateAuthority, _problems);
        }
    }
}
