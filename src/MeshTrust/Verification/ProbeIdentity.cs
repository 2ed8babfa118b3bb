using System.Net.Security;
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

    /// <summary>
    /// Roots first, each part on its own: whatever is wrong with one part, the others stay usable. Others are judged by these roots, and a
    /// damaged key or chain here must not spoil that.
    /// </summary>
    public ProbeIdentity(SigningBundle bundle, string trustDomain, DateTimeOffset at)
    {
        (TrustDomain, SpiffeId) = (trustDomain, $"spiffe://{trustDomain}/ns/meshtrust/sa/probe-{bundle.Cluster}");
        (Chain, Roots) = (bundle.Chain, bundle.Roots);
        ChainKey = Digest(bundle);
        RootKey = Convert.ToHexString(SHA256.HashData(bundle.Bytes(bundle.RootCertName)));
        RootFault = Unreadable(bundle.RootCert) ?? Load(Roots, PlatformRoots, bundle.RootCert.Name);
        ChainFault = Unreadable(bundle.CertChain) ?? Load(Chain, PlatformChain, bundle.CertChain.Name) ?? IssueLeaf(bundle, at);
    }

    /// <summary>Equal where the signing certificate, its key and the chain are the same bytes: then verdicts are the same too.</summary>
    public string ChainKey { get; }

    /// <summary>Equal where <c>root-cert.pem</c> is the same bytes.</summary>
    public string RootKey { get; }

    public string SpiffeId { get; }

    public string TrustDomain { get; }

    public ProbeLeaf? Leaf { get; private set; }

    /// <summary>Why there is no leaf, or why nobody could read what it would send; null where it is sound.</summary>
    public string? ChainFault { get; }

    /// <summary>Why nobody could read the roots; null where they are sound.</summary>
    public string? RootFault { get; }

    public IReadOnlyList<CertificateDocument> Chain { get; }

    public IReadOnlyList<CertificateDocument> Roots { get; }

    public X509Certificate2? LeafWithKey { get; private set; }

    /// <summary>What a workload shows in a handshake; null where there is no leaf.</summary>
    public SslStreamCertificateContext? TlsContext { get; private set; }

    public X509Certificate2Collection PlatformChain { get; } = [];

    public X509Certificate2Collection PlatformRoots { get; } = [];

    public void Dispose()
    {
        foreach (var certificate in _owned) certificate.Dispose();
    }

    private static string Digest(SigningBundle bundle)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(bundle.Ca is { } ca ? ca.Der.Span : []);
        hash.AppendData(bundle.Bytes(bundle.CertChainName));
        // The key counts as well: the same certificate with a foreign key signs leaves that nobody accepts.
        hash.AppendData(SHA256.HashData(bundle.Bytes(bundle.KeyName)));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private string? IssueLeaf(SigningBundle bundle, DateTimeOffset at)
    {
        if (bundle.Ca is not { } ca) return $"{bundle.CaCert.Name} holds no certificate";
        if (!bundle.TryReadKey(out var key, out var reason))
            return $"no leaf can be signed with {bundle.Cluster}/{bundle.KeyName}: {reason.TrimEnd('.')}";
        try
        {
            Leaf = ProbeLeaf.Issue(ca, key, SpiffeId, new FixedTime(at));
            var leaf = Own(ForTls(Leaf.ToCertificateWithKey()));
            TlsContext = SslStreamCertificateContext.Create(leaf, PlatformChain, offline: true);
            LeafWithKey = leaf;
            return null;
        }
        // What a library makes of odd keys and certificates cannot be foreseen, and one cluster must not end the proof of the others.
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return $"the platform could not issue or load a leaf of this CA ({fault.GetType().Name})";
        }
    }

    private string? Load(IReadOnlyList<CertificateDocument> certificates, X509Certificate2Collection loaded, string file)
    {
        try
        {
            foreach (var certificate in certificates) loaded.Add(Own(X509CertificateLoader.LoadCertificate(certificate.Der.Span)));
            return null;
        }
        catch (CryptographicException fault)
        {
            return $"the platform cannot load a certificate of {file} ({fault.GetType().Name})";
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
        document.Breaks() is [var first, ..] ? $"{document.Name} is damaged: {first.TrimEnd('.')}" : null;

    /// <summary>A clock that stops at the moment of the snapshot, so that a report says the same however long it takes.</summary>
    private sealed class FixedTime(DateTimeOffset at) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => at;
    }
}
