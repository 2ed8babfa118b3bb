using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// The four files of one cluster. They cannot exist unless they fit: strict PEM, the key is the certificate's, the chain starts with it,
/// every link is a CA signed by the next, no path length is exceeded, and it ends at a root of <c>root-cert.pem</c>.
/// </summary>
/// <remarks>The same idea as istio security/pkg/pki/util/keycertbundle.go, but stricter: istiod accepts files that its workloads' peers refuse.</remarks>
public sealed class ClusterCacerts
{
    private ClusterCacerts(ClusterName cluster, ReadOnlyMemory<byte> caCert, ReadOnlyMemory<byte> certChain, ReadOnlyMemory<byte> rootCert, PrivateKeyPem key, ReadOnlyMemory<byte> keyFile, IReadOnlyList<CertificateDocument> chain, bool chainHasRoot)
    {
        Cluster = cluster;
        CaCert = caCert;
        CertChain = certChain;
        RootCert = rootCert;
        Key = key;
        _keyFile = keyFile;
        Chain = chain;
        ChainHasRoot = chainHasRoot;
    }

    private readonly ReadOnlyMemory<byte> _keyFile;

    /// <summary>The cluster.</summary>
    public ClusterName Cluster { get; }

    /// <summary>The file <c>ca-cert.pem</c>, byte for byte.</summary>
    public ReadOnlyMemory<byte> CaCert { get; }

    /// <summary>The file <c>cert-chain.pem</c>, byte for byte.</summary>
    public ReadOnlyMemory<byte> CertChain { get; }

    /// <summary>The file <c>root-cert.pem</c>, byte for byte.</summary>
    public ReadOnlyMemory<byte> RootCert { get; }

    /// <summary>The key.</summary>
    public PrivateKeyPem Key { get; }

    /// <summary>The intermediate first, its root last; at least one.</summary>
    public IReadOnlyList<CertificateDocument> Chain { get; }

    /// <summary>Whether <c>cert-chain.pem</c> ends with the root, as the Makefile writes it.</summary>
    public bool ChainHasRoot { get; }

    /// <summary>The certificate that signs the cluster's workloads.</summary>
    public CertificateDocument Certificate => Chain[0];

    /// <summary>The root that it chains to.</summary>
    public CertificateDocument Root => Chain[^1];

    /// <summary>The file <c>ca-key.pem</c>, byte for byte. Only for those who write it to a file of mode 0600 or into the secret.</summary>
    public ReadOnlyMemory<byte> CaKey() => _keyFile;

    /// <summary>The four files by name, for the secret. It holds the key.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> ToFiles() => new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal)
    {
        [CacertsFile.CaCert] = CaCert,
        [CacertsFile.CaKey] = _keyFile,
        [CacertsFile.CertChain] = CertChain,
        [CacertsFile.RootCert] = RootCert,
    };

    /// <summary>Takes the four files' content.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="files">The content by file name.</param>
    /// <exception cref="MeshTrustException">They do not fit: MT5112 for each reason. The places are <c>cluster/file</c>.</exception>
    public static ClusterCacerts FromFiles(ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(files);
        var problems = new List<Problem>();
        void Add(string file, string defect) => problems.Add(PkiProblem.CacertsDoNotFit($"{cluster}/{file}", defect));
        foreach (var file in CacertsFile.OfCluster.Where(f => !files.ContainsKey(f))) Add(file, "It is missing.");
        if (problems.Count > 0) throw new MeshTrustException(Stage.CertificateAuthority, problems);

        IReadOnlyList<CertificateDocument> Certificates(string file)
        {
            var document = PemDocument.Parse(file, files[file].Span);
            foreach (var defect in document.Defects) Add(file, defect);
            foreach (var block in document.Blocks.Where(b => b.Label is not PemLabel.Certificate)) Add(file, $"The block at line {block.Line} is '{block.Label}'; only certificates belong here.");
            return document.Certificates;
        }

        var caCert = Certificates(CacertsFile.CaCert);
        var certChain = Certificates(CacertsFile.CertChain);
        var roots = Certificates(CacertsFile.RootCert);
        if (!PrivateKeyPem.TryParse(CacertsFile.CaKey, files[CacertsFile.CaKey].Span, out var key, out var reason)) Add(CacertsFile.CaKey, reason);
        else if (key.KeyAlgorithm is null) Add(CacertsFile.CaKey, $"The key is {key.Algorithm}, which not every part of Istio takes.");
        if (problems.Count > 0) throw new MeshTrustException(Stage.CertificateAuthority, problems);

        if (!key!.Matches(caCert[0])) Add(CacertsFile.CaKey, $"This key ({key.Algorithm}, id {key.KeyId}) does not belong to {CacertsFile.CaCert} ({caCert[0].PublicKey}, id {caCert[0].SubjectKeyId ?? "none"}).");
        if (!certChain[0].Equals(caCert[0])) Add(CacertsFile.CertChain, $"It does not start with the certificate of {CacertsFile.CaCert}: it starts with '{certChain[0].Subject}'.");
        var chain = certChain.ToList();
        var chainHasRoot = roots.Contains(chain[^1]);
        if (!chainHasRoot)
        {
            var top = chain[^1];
            var root = roots.FirstOrDefault(r => r.RawSubject.Span.SequenceEqual(top.RawIssuer.Span) && top.IsSignedBy(r))
                ?? roots.FirstOrDefault(r => r.RawSubject.Span.SequenceEqual(top.RawIssuer.Span));
            if (root is null) Add(CacertsFile.CertChain, $"It ends with '{top.Subject}', issued by '{top.Issuer}', which is not in {CacertsFile.RootCert}.");
            else chain.Add(root);
        }

        foreach (var defect in CertificateChain.Defects(chain)) Add(CacertsFile.CertChain, defect);
        if (problems.Count > 0) throw new MeshTrustException(Stage.CertificateAuthority, problems);
        return new ClusterCacerts(cluster, files[CacertsFile.CaCert], files[CacertsFile.CertChain], files[CacertsFile.RootCert], key, files[CacertsFile.CaKey], chain, chainHasRoot);
    }

    /// <summary>Files that were issued just now: the same rules, without reading back what was never written.</summary>
    internal static ClusterCacerts FromIssued(ClusterName cluster, CertificateDocument certificate, PrivateKeyPem key, CertificateDocument root, ReadOnlyMemory<byte> rootFile, bool chainHasRoot)
    {
        CertificateDocument[] chain = [certificate, root];
        var defects = CertificateChain.Defects(chain).ToList();
        if (!key.Matches(certificate)) defects.Add("The key does not match.");
        if (defects.Count > 0) throw new InvalidOperationException(string.Join(' ', defects));
        return new ClusterCacerts(cluster, PemDocument.Write([certificate]), PemDocument.Write(chainHasRoot ? chain : [certificate]), rootFile, key, key.ToPem(), chain, chainHasRoot);
    }

    /// <summary>The cluster, the certificate and the kind of key; never the key.</summary>
    public override string ToString() => $"cacerts of {Cluster}: {Certificate}, {Key}";
}
