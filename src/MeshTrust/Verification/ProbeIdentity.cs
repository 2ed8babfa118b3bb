using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>
/// A workload of one cluster, with what istiod would give it: a probe leaf signed with the CA that signs there, the certificates of its
/// chain, and the roots that workloads there trust. Everything is in memory.
/// </summary>
internal sealed class ProbeIdentity : IDisposable
{
    private readonly List<X509Certificate2> _owned = [];

    /// <summary>
    /// Loads the roots first and each part separately, so that a problem with one part leaves the others usable. Other clusters are
    /// verified with these roots, and a damaged key or chain here must not affect that.
    /// </summary>
    private ProbeIdentity(
        string spiffeId, string chainKey, IReadOnlyList<CertificateDocument> chain, PemDocument rootFile, RevocationLists? crls)
    {
        (SpiffeId, ChainKey, Chain, Roots, Crls) = (spiffeId, chainKey, chain, rootFile.Certificates, crls);
        RootFault = Unreadable(rootFile) ?? Load(Roots, PlatformRoots, rootFile.Name);
        RootKey = $"{RootFault} {string.Concat(Roots.Select(r => r.Sha256))} {crls?.Digest}";
    }

    /// <summary>A workload that gets a probe leaf.</summary>
    /// <param name="cluster">The cluster's name.</param>
    /// <param name="signing">The CA that signs in this cluster; null if it is not visible.</param>
    /// <param name="rootFile">The roots that its workloads trust.</param>
    /// <param name="trustDomain">The trust domain of its workloads.</param>
    /// <param name="istiodNames">The DNS names in istiod's own certificate.</param>
    /// <param name="at">When the leaf has to be valid.</param>
    public ProbeIdentity(
        string cluster, SigningBundle? signing, PemDocument rootFile, string trustDomain, IReadOnlyList<string> istiodNames,
        DateTimeOffset at)
        : this($"spiffe://{trustDomain}/ns/meshtrust/sa/probe-{cluster}",
            signing is null ? cluster : $"{Digest(signing)} {trustDomain}", signing?.Chain ?? [], rootFile,
            signing is { IsTls: false } ? signing.Crls : null)
    {
        if (signing is null)
        {
            Unknown = "istiod signs with a CA that is not in the cluster's secrets, so it cannot be tested";
            return;
        }

        ChainFault = Unreadable(signing.CertChain) ?? Load(Chain, PlatformChain, signing.CertChain.Name)
            ?? IssueLeaf(signing, at);
        OwnFault = ChainFault is null ? IstiodFault(signing, istiodNames, at) : null;
    }

    /// <summary>A workload that got a certificate from istiod.</summary>
    /// <param name="spiffeId">The requested identity.</param>
    /// <param name="issued">The answer; null if there is none.</param>
    /// <param name="unknown">Why there is none, as a clause.</param>
    /// <param name="rootFile">The roots that it holds.</param>
    /// <param name="crls">The CRLs that it checks peers with; null for none.</param>
    public ProbeIdentity(string spiffeId, IssuedCertificate? issued, string unknown, PemDocument rootFile, RevocationLists? crls)
        : this(spiffeId, issued?.Leaf.Sha256 ?? unknown, issued?.Chain ?? [], rootFile, crls)
    {
        if (issued is null)
        {
            Unknown = unknown;
            return;
        }

        ChainFault = Load(Chain, PlatformChain, "the issued chain")
            ?? (issued.Leaf.Uris is [var id] && id == spiffeId ? null
                : $"istiod issued it for {string.Join(" and ", issued.Leaf.Uris.DefaultIfEmpty("no identity"))}, not for {spiffeId}")
            ?? TakeLeaf(() => (issued.Leaf, issued.ToCertificateWithKey()));
    }

    /// <summary>Equal if the signing certificate, its key, the chain and the trust domain are: then the verdicts are too.</summary>
    public string ChainKey { get; }

    /// <summary>Equal if the roots and the CRLs are the same.</summary>
    public string RootKey { get; }

    public string SpiffeId { get; }
    public CertificateDocument? Leaf { get; private set; }

    /// <summary>Why nothing can be said about the certificates of its cluster, as a clause; null if something can.</summary>
    public string? Unknown { get; }

    /// <summary>Why proxies reject istiod's own certificate, with the roots of this cluster; null if they accept it.</summary>
    public string? OwnFault { get; }

    /// <summary>Why there is no leaf, or why the chain it would send cannot be read; null if both are fine.</summary>
    public string? ChainFault { get; }

    /// <summary>Why the roots cannot be read; null if they can.</summary>
    public string? RootFault { get; }

    public IReadOnlyList<CertificateDocument> Chain { get; }
    public IReadOnlyList<CertificateDocument> Roots { get; }
    public RevocationLists? Crls { get; }
    public X509Certificate2? LeafWithKey { get; private set; }

    /// <summary>What a workload presents in a handshake; null if there is no leaf.</summary>
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
        // The key is part of it: the same certificate with a different key signs leaves that no peer accepts.
        hash.AppendData(SHA256.HashData(bundle.Bytes(bundle.KeyName)));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private string? IssueLeaf(SigningBundle bundle, DateTimeOffset at)
    {
        if (bundle.Ca is not { } ca) return $"{bundle.CaCert.Name} contains no certificate";
        if (!bundle.TryReadKey(out var key, out var reason))
            return $"{bundle.Cluster}/{bundle.KeyName} cannot sign certificates: {reason.TrimEnd('.')}";
        return TakeLeaf(() =>
        {
            var leaf = ProbeLeaf.Issue(ca, key, [SpiffeId], new FixedTime(at));
            return (leaf.Certificate, leaf.ToCertificateWithKey());
        });
    }

    private string? TakeLeaf(Func<(CertificateDocument, X509Certificate2)> issue)
    {
        try
        {
            (Leaf, var platform) = issue();
            var leaf = Own(ForTls(platform));
            TlsContext = SslStreamCertificateContext.Create(leaf, PlatformChain, offline: true);
            LeafWithKey = leaf;
            return null;
        }
        // Libraries can fail in unexpected ways on odd keys and certificates; one cluster must not stop the proof of the others.
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return $"the platform could not issue or load a certificate from this CA ({fault.GetType().Name})";
        }
    }

    /// <summary>Only name constraints can make a difference between istiod's certificate and that of a workload.</summary>
    private string? IstiodFault(SigningBundle signing, IReadOnlyList<string> names, DateTimeOffset at)
    {
        if (!Chain.Concat(Roots).Any(c => c.HasNameConstraints) || !signing.TryReadKey(out var key, out _)) return null;
        var leaf = ProbeLeaf.Issue(signing.Ca!, key, names, new FixedTime(at)).Certificate;
        var fault = CertificationPath.Fault(leaf, Chain, Roots, at)
            ?? PlatformPath.Fault(Own(X509CertificateLoader.LoadCertificate(leaf.Der.Span)), PlatformChain, PlatformRoots, at);
        return fault is null ? null : $"every proxy rejects istiod's own certificate ({string.Join(", ", names)}): {fault}";
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
            return $"the platform cannot load a certificate in {file} ({fault.GetType().Name})";
        }
    }

    private X509Certificate2 Own(X509Certificate2 certificate)
    {
        _owned.Add(certificate);
        return certificate;
    }

    // SChannel cannot use an ephemeral key: on Windows the leaf's one-hour key is in a key container until it is disposed.
    private static X509Certificate2 ForTls(X509Certificate2 certificate)
    {
        if (!OperatingSystem.IsWindows()) return certificate;
        using (certificate) return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    // A strict peer (OpenSSL, rustls in ztunnel) drops the whole file, or stops at the first block it cannot parse.
    private static string? Unreadable(PemDocument document) =>
        document.Breaks() is [var first, ..] ? $"{document.Name} is damaged: {first.TrimEnd('.')}" : null;

    /// <summary>A clock fixed at the time of the snapshot, so that the report does not depend on how long it takes.</summary>
    private sealed class FixedTime(DateTimeOffset at) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => at;
    }
}
