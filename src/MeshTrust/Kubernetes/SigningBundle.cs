using System.Diagnostics.CodeAnalysis;
using MeshTrust.Pki;

namespace MeshTrust.Kubernetes;

/// <summary>
/// A <c>cacerts</c> secret, parsed once for all checks; Istio calls it the signing CA bundle (istio pilot/pkg/bootstrap/istio_ca.go).
/// It contains the CA key: never write it out.
/// </summary>
internal sealed class SigningBundle : ICertificatePath
{
    private readonly IReadOnlyDictionary<string, byte[]> _data;
    private readonly Lazy<IReadOnlyList<CertificateDocument>> _path;

    public SigningBundle(string cluster, SecretDocument secret)
    {
        _data = secret.Data;
        Cluster = cluster;
        // istiod uses this layout whenever tls.crt exists, even next to the *.pem keys, and joins tls.crt and ca.crt to a chain.
        IsTls = _data.ContainsKey("tls.crt");
        Keys = IsTls ? ["tls.crt", "tls.key", "ca.crt"] : CacertsFile.OfCluster;
        KeyName = IsTls ? "tls.key" : CacertsFile.CaKey;
        CaCert = Read(CaCertName);
        RootCert = Read(RootCertName);
        CertChain = IsTls
            ? PemDocument.Parse($"{cluster}/tls.crt+ca.crt", [.. Bytes("tls.crt"), .. Bytes("ca.crt")])
            : Read(CertChainName);
        Crl = _data.TryGetValue(CacertsFile.Crl, out var crl) ? crl : null;
        Crls = Crl is null ? null : RevocationLists.Parse(CacertsFile.Crl, Crl);
        _path = new(Walk);
    }

    public string Cluster { get; }

    /// <summary>Whether it has the layout of <c>kubernetes.io/tls</c>: <c>tls.crt</c>, <c>tls.key</c>, <c>ca.crt</c>.</summary>
    public bool IsTls { get; }

    /// <summary>The keys that istiod needs in this layout.</summary>
    public IReadOnlyList<string> Keys { get; }

    public string CaCertName => IsTls ? "tls.crt" : CacertsFile.CaCert;

    /// <summary>The first key of the chain, if it consists of two.</summary>
    public string CertChainName => IsTls ? "tls.crt" : CacertsFile.CertChain;

    public string RootCertName => IsTls ? "ca.crt" : CacertsFile.RootCert;
    public string KeyName { get; }
    public PemDocument CaCert { get; }
    public PemDocument CertChain { get; }
    public PemDocument RootCert { get; }
    public byte[]? Crl { get; }

    /// <summary><see cref="Crl"/>, parsed. istiod ignores it in the layout of <c>kubernetes.io/tls</c>.</summary>
    public RevocationLists? Crls { get; }

    /// <summary>The CA that signs: istiod uses the first block of the file.</summary>
    public CertificateDocument? Ca => CaCert.Certificates.Count > 0 ? CaCert.Certificates[0] : null;

    public IReadOnlyList<CertificateDocument> Chain => CertChain.Certificates;
    public IReadOnlyList<CertificateDocument> Roots => RootCert.Certificates;

    /// <summary>The signing CA and its available ancestors, by name and signature; the last is a root if the chain is complete.</summary>
    public IReadOnlyList<CertificateDocument> Path => _path.Value;

    public bool ReachesRoot => Path is [.., var last] && Roots.Contains(last);

    /// <summary>Every distinct certificate with the file that contains it.</summary>
    public IEnumerable<(CertificateDocument Certificate, string File)> All =>
        new[] { CaCert, RootCert, CertChain }.SelectMany(file => file.Certificates.Select(c => (c, file.Name))).DistinctBy(c => c.Item1);

    public bool Contains(string key) => _data.ContainsKey(key);

    public bool HasContent(string key) => !Bytes(key).IsEmpty;

    public IEnumerable<string> DataKeys => _data.Keys.Order(StringComparer.Ordinal);

    /// <summary>Reads the CA's key. The reason why it cannot is a sentence with a full stop, without key material.</summary>
    public bool TryReadKey([NotNullWhen(true)] out PrivateKeyPem? key, [NotNullWhen(false)] out string? reason) =>
        PrivateKeyPem.TryParse(KeyName, Bytes(KeyName), out key, out reason);

    public ReadOnlySpan<byte> Bytes(string key) => _data.TryGetValue(key, out var value) ? value : [];

    private PemDocument Read(string key) => PemDocument.Parse($"{Cluster}/{key}", Bytes(key));

    private List<CertificateDocument> Walk()
    {
        var path = new List<CertificateDocument>();
        for (var at = Ca; at is not null && path.Count < 16; at = Parent(at, path)) path.Add(at);
        return path;
    }

    private CertificateDocument? Parent(CertificateDocument child, List<CertificateDocument> path) =>
        child.IsSelfIssued && child.IsSignedBy(child)
            ? null
            : Roots.Concat(Chain).FirstOrDefault(c => !path.Contains(c) && c.Issued(child));
}
