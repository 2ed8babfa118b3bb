using BenchmarkDotNet.Attributes;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Benchmarks.Parts;

/// <summary>One intermediate under an existing root: names, extensions, signature; no key generation.</summary>
public class IssueParts
{
    private readonly CertificateIssuer _issuer = new(TimeProvider.System);
    private readonly CertificateProfile _profile = CertificateProfile.ForIntermediate(TrustSpec.Default.Intermediate, ClusterName.Parse("east"));
    private PrivateKeyPem _rootKey = null!;
    private PrivateKeyPem _key = null!;
    private CertificateDocument _root = null!;

    [Params(KeyAlgorithm.Rsa4096, KeyAlgorithm.EcdsaP256)]
    public KeyAlgorithm Algorithm { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        (_rootKey, _key) = (KeyGeneration.Generate(Algorithm), KeyGeneration.Generate(Algorithm));
        _root = _issuer.IssueRoot(CertificateProfile.ForRoot(TrustSpec.Default.Root), _rootKey).Certificate;
    }

    [Benchmark]
    public object Intermediate()
    {
        using var signer = new CertificateSigner(_rootKey);
        return _issuer.Issue(_profile, _key.SubjectPublicKeyInfo, [_root], signer);
    }
}
