using System.Security.Cryptography.X509Certificates;
using BenchmarkDotNet.Attributes;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Benchmarks.Parts;

/// <summary>What Verify does most often: read PEM, check four files, validate a path.</summary>
public class ReadParts
{
    private readonly ClusterName _cluster = ClusterName.Parse("east");
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _files = [];
    private X509Certificate2 _leaf = null!;
    private X509ChainPolicy _policy = null!;

    [Params(KeyAlgorithm.Rsa4096, KeyAlgorithm.EcdsaP256)]
    public KeyAlgorithm Algorithm { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var issuer = new CertificateIssuer(TimeProvider.System);
        var (rootKey, key) = (KeyGeneration.Generate(Algorithm), KeyGeneration.Generate(Algorithm));
        var root = issuer.IssueRoot(CertificateProfile.ForRoot(TrustSpec.Default.Root), rootKey).Certificate;
        var ca = issuer.Issue(CertificateProfile.ForIntermediate(TrustSpec.Default.Intermediate, _cluster), key.SubjectPublicKeyInfo, [root], new CertificateSigner(rootKey)).Certificate;
        _files["root-cert.pem"] = PemDocument.Write([root]);
        _files["ca-cert.pem"] = PemDocument.Write([ca]);
        _files["cert-chain.pem"] = PemDocument.Write([ca, root]);
        _files["ca-key.pem"] = key.ToPem();
        _leaf = X509CertificateLoader.LoadCertificate(ProbeLeaf.Issue(ca, key, ["spiffe://cluster.local/ns/probe/sa/probe"], TimeProvider.System).Certificate.Der.Span);
        _policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        _policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(root.Der.Span));
        _policy.ExtraStore.Add(X509CertificateLoader.LoadCertificate(ca.Der.Span));
    }

    [Benchmark]
    public object ParseChain() => PemDocument.Parse("cert-chain.pem", _files["cert-chain.pem"].Span);

    [Benchmark]
    public ClusterCacerts JudgeFourFiles() => ClusterCacerts.FromFiles(_cluster, _files);

    [Benchmark]
    public bool ValidatePath()
    {
        using var chain = new X509Chain { ChainPolicy = _policy.Clone() };
        return chain.Build(_leaf) ? true : throw new InvalidOperationException("The path does not validate.");
    }
}
