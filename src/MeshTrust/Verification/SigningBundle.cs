using MeshTrust.Kubernetes;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>
/// A secret <c>cacerts</c>, parsed once for all checks: what Istio calls the signing CA bundle (istio pilot/pkg/bootstrap/istio_ca.go).
/// It holds the CA key: never write it out.
/// </summary>
internal sealed class SigningBundle
{
    /// <summary>The four keys that istiod needs in its own layout.</summary>
    public static readonly IReadOnlyList<string> Keys = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"];

    private readonly IReadOnlyDictionary<string, byte[]> _data;
    private readonly Lazy<IReadOnlyList<CertificateDocument>> _path;

    public SigningBundle(string cluster, SecretDocument secret)
    {
        _data = secret.Data;
        Cluster = cluster;
        // istiod takes this layout as soon as tls.crt is there, even beside the *.pem keys, and glues tls.crt and ca.crt to a chain.
        IsTls = _data.ContainsKey("tls.crt");
        CaCert = Read(IsTls ? "tls.crt" : "ca-cert.pem");
        RootCert = Read(IsTls ? "ca.crt" : "root-cert.pem");
        KeyName = IsTls ? "tls.key" : "ca-key.pem";
        CertChain = IsTls ? PemDocument.Parse($"{cluster}/tls.crt+ca.crt", [.. Bytes("tls.crt"), .. Bytes("ca.crt")]) : Read("cert-chain.pem");
        Crl = _data.TryGetValue("ca-crl.pem", out var crl) ? crl : null;
        _path = new(Walk);
    }

    public string Cluster { get; }

    public bool IsTls { get; }

    public PemDocument CaCert { get; }

    public PemDocument CertChain { get; }

    public PemDocument RootCert { get; }

    public string KeyName { get; }

    public ReadOnlySpan<byte> KeyBytes => Bytes(KeyName);

    public byte[]? Crl { get; }

    /// <summary>The CA that signs: istiod takes the first block of the file.</summary>
    public CertificateDocument? Ca => CaCert.Certificates.Count > 0 ? CaCert.Certificates[0] : null;

    public IReadOnlyList<CertificateDocument> Chain => CertChain.Certificates;

    public IReadOnlyList<CertificateDocument> Roots => RootCert.Certificates;

    /// <summary>The signing CA and its ancestors as far as they are there, by name and signature; the last is a root where the chain is whole.</summary>
    public IReadOnlyList<CertificateDocument> Path => _path.Value;

    public bool ReachesRoot => Path is [.., var last] && Roots.Contains(last);

    /// <summary>Every distinct certificate with the file that holds it.</summary>
    public IEnumerable<(CertificateDocument Certificate, string File)> All =>
        CaCert.Certificates.Select(c => (c, CaCert.Name))
            .Concat(RootCert.Certificates.Select(c => (c, RootCert.Name)))
            .Concat(CertChain.Certificates.Select(c => (c, CertChain.Name)))
            .DistinctBy(c => c.Item1);

    public bool Has(string key) => _data.TryGetValue(key, out var value) && value.Length > 0;

    public bool Contains(string key) => _data.ContainsKey(key);

    public IEnumerable<string> DataKeys => _data.Keys.Order(StringComparer.Ordinal);

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
            : Roots.Concat(Chain).FirstOrDefault(c => !path.Contains(c) && c.RawSubject.Span.SequenceEqual(child.RawIssuer.Span) && child.IsSignedBy(c));
}
