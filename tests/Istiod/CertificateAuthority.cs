using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MeshTrust.Tests.Istiod;

/// <summary>Signs as istiod does with the files in <c>/etc/cacerts</c> (istio security/pkg/pki/ca/ca.go), with .NET's own X.509 code.</summary>
public sealed class CertificateAuthority
{
    private readonly X509Certificate2 _signer;

    public CertificateAuthority(IReadOnlyDictionary<string, string> files)
    {
        _signer = X509Certificate2.CreateFromPem(files["ca-cert.pem"], files["ca-key.pem"]);
        (Chain, Roots) = (files["cert-chain.pem"], files["root-cert.pem"]);
    }

    public string Chain { get; }

    public string Roots { get; }

    public static CertificateAuthority Read(string directory) => new(
        Directory.EnumerateFiles(directory, "*.pem").ToDictionary(f => Path.GetFileName(f), File.ReadAllText));

    public string Sign(string signingRequest, string spiffeId, TimeSpan validity)
    {
        var asked = CertificateRequest.LoadSigningRequestPem(signingRequest, HashAlgorithmName.SHA256);
        return Sign(asked.PublicKey, names => names.AddUri(new Uri(spiffeId)), validity).ExportCertificatePem() + "\n";
    }

    /// <summary>istiod's own certificate, with its key and the chain that it serves.</summary>
    public (X509Certificate2 Own, X509Certificate2Collection Chain) Serving(TimeSpan life, params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var own = Sign(new PublicKey(key), all => Array.ForEach(names, all.AddDnsName), life);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(Chain);
        return (own.CopyWithPrivateKey(key), chain);
    }

    private X509Certificate2 Sign(PublicKey key, Action<SubjectAlternativeNameBuilder> name, TimeSpan validity)
    {
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        name(names);
        request.CertificateExtensions.Add(names.Build(critical: true));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_signer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var start = DateTimeOffset.UtcNow.AddMinutes(-2);
        var end = start + validity;
        X509SignatureGenerator generator = _signer.GetRSAPrivateKey() is { } rsa
            ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1) : X509SignatureGenerator.CreateForECDsa(_signer.GetECDsaPrivateKey()!);
        return request.Create(_signer.SubjectName, generator, start, end > _signer.NotAfter ? _signer.NotAfter : end, RandomNumberGenerator.GetBytes(16));
    }
}
