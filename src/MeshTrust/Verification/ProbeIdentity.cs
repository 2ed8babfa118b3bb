using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>
/// A workload of one cluster, as istiod there would equip it: a probe leaf signed with the cluster's CA key, the certificates of its
/// <c>cert-chain.pem</c>, and the roots it would trust. All of it in memory.
/// </summary>
internal sealed class ProbeIdentity : IDisposable
{
    private readonly List<X509Certificate2> _owned = [];

    private ProbeIdentity(string cluster, string chainKey, string rootKey)
    {
        Cluster = cluster;
        ChainKey = chainKey;
        RootKey = rootKey;
    }

    public string Cluster { get; }

    /// <summary>Equal where the signing certificate and the chain are the same bytes: then verdicts are the same too.</summary>
    public string ChainKey { get; }

    /// <summary>Equal where <c>root-cert.pem</c> is the same bytes.</summary>
    public string RootKey { get; }

    public string SpiffeId { get; private init; } = "";

    public string TrustDomain { get; private init; } = "";

    public ProbeLeaf? Leaf { get; private set; }

    /// <summary>Why there is no leaf, or why nobody could read what it would send; null where it is sound.</summary>
    public string? ChainFault { get; private set; }

    /// <summary>Why nobody could read the roots; null where they are sound.</summary>
    public string? RootFault { get; private set; }

    public required IReadOnlyList<CertificateDocument> Chain { get; init; }

    public required IReadOnlyList<CertificateDocument> Roots { get; init; }

    public X509Certificate2? LeafWithKey { get; private set; }

    public X509Certificate2Collection PlatformChain { get; } = [];

    public X509Certificate2Collection PlatformRoots { get; } = [];

    public static ProbeIdentity Of(SigningBundle bundle, string trustDomain, DateTimeOffset at)
    {
        var identity = new ProbeIdentity(bundle.Cluster, Digest(bundle), Convert.ToHexString(SHA256.HashData(bundle.Bytes(bundle.IsTls ? "ca.crt" : "root-cert.pem"))))
        {
            Chain = bundle.Chain,
            Roots = bundle.Roots,
            TrustDomain = trustDomain,
            SpiffeId = $"spiffe://{trustDomain}/ns/meshtrust/sa/probe-{bundle.Cluster}",
        };
        identity.Prepare(bundle, at);
        return identity;
    }

    public void Dispose()
    {
        foreach (var certificate in _owned) certificate.Dispose();
    }

    private static string Digest(SigningBundle bundle)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(bundle.Ca is { } ca ? ca.Der.Span : []);
        hash.AppendData(bundle.Bytes(bundle.IsTls ? "tls.crt" : "cert-chain.pem"));
        // The key counts as well: the same certificate with a foreign key signs leaves that nobody accepts.
        hash.AppendData(SHA256.HashData(bundle.KeyBytes));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private void Prepare(SigningBundle bundle, DateTimeOffset at)
    {
        RootFault = Unreadable(bundle.RootCert);
        ChainFault = Unreadable(bundle.CertChain);
        if (bundle.Ca is not { } ca)
        {
            ChainFault ??= $"{bundle.CaCert.Name} holds no certificate";
            return;
        }

        if (!PrivateKeyPem.TryParse(bundle.KeyName, bundle.KeyBytes, out var key, out var reason))
        {
            ChainFault ??= $"no leaf can be signed with {bundle.Cluster}/{bundle.KeyName}: {reason.TrimEnd('.')}";
            return;
        }

        try
        {
            Leaf = ProbeLeaf.Issue(ca, key, SpiffeId, new FixedTime(at));
            LeafWithKey = Own(ForTls(Leaf.ToCertificateWithKey()));
            foreach (var certificate in Chain) PlatformChain.Add(Own(X509CertificateLoader.LoadCertificate(certificate.Der.Span)));
            foreach (var certificate in Roots) PlatformRoots.Add(Own(X509CertificateLoader.LoadCertificate(certificate.Der.Span)));
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException or InvalidOperationException)
        {
            ChainFault ??= $"the platform could not issue or load a leaf of this CA ({fault.GetType().Name})";
        }
    }

    private X509Certificate2 Own(X509Certificate2 certificate)
    {
        _owned.Add(certificate);
        return certificate;
    }

    // SChannel cannot use an ephemeral key: on Windows the leaf's one-hour key lives in a key container until it is disposed.
    private static X509Certificate2 ForTls(X509Certificate2 certificate)
    {
        if (!OperatingSystem.IsWindows()) return certificate;
        using (certificate) return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    // A peer that reads strictly (OpenSSL, rustls in ztunnel) drops the whole file, or stops at the first block that it cannot read.
    private static string? Unreadable(PemDocument document) =>
        PemHygiene.Broken(document) is [var first, ..] ? $"{document.Name} is damaged: {first.TrimEnd('.')}" : null;
}
