using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5006: the certificate files read the same for Go, OpenSSL and rustls.</summary>
public sealed class PemHygieneCheck : TrustCheck
{
    private const int MostRoots = 10;
    private const int LargestBundle = 64 * 1024;

    /// <inheritdoc/>
    public override string Id => "MT5006";

    /// <inheritdoc/>
    public override string Title => "the certificate files are clean PEM that every peer reads alike";

    /// <inheritdoc/>
    public override string Citation => "RFC 7468 section 3; ztunnel src/tls/certificate.rs (one bad block fails the whole reply); istio/istio#27605";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Clusters.Where(c => c.Bundle is not null).SelectMany(c => Inspect(c, c.Bundle!));
    }

    private IEnumerable<TrustFinding> Inspect(ClusterSnapshot cluster, SigningBundle bundle)
    {
        // An absent or empty file is told by MT5005 (and an empty chain by MT5004): here it would be the same thing twice.
        var files = new[] { (bundle.CaCert, bundle.IsTls ? "tls.crt" : "ca-cert.pem"), (bundle.CertChain, bundle.IsTls ? "tls.crt" : "cert-chain.pem"), (bundle.RootCert, bundle.IsTls ? "ca.crt" : "root-cert.pem") };
        foreach (var (file, _) in files.Where(f => bundle.Has(f.Item2)))
        {
            foreach (var defect in PemHygiene.Broken(file))
            {
                yield return Error(cluster, $"{file.Name}: {defect}", "Write the file anew: one block after the other, each ended by a line break.");
            }

            // Go, OpenSSL and rustls all skip text outside blocks (RFC 7468 section 2).
            if (file.StrayText is { } text) yield return Warning(cluster, $"{file.Name}: {text}", "Leave only the blocks in the file.");
            if (file.Certificates.Count == 0 && file.Defects.Count == 0) yield return Error(cluster, $"{file.Name} holds no certificate.", "Put the certificate in.");
            foreach (var twice in file.Certificates.GroupBy(c => c).Where(g => g.Count() > 1))
            {
                yield return Warning(cluster, $"{file.Name} holds '{twice.Key.Subject}' {twice.Count()} times; some Java clients refuse such a chain.", "Keep one of them, unless a rotation is under way.");
            }
        }

        if (bundle.Roots.Count > MostRoots || bundle.Bytes(bundle.IsTls ? "ca.crt" : "root-cert.pem").Length > LargestBundle)
        {
            yield return Warning(cluster, $"{bundle.RootCert.Name} holds {bundle.Roots.Count} roots: it is copied into every namespace and every webhook.", $"Keep at most {MostRoots} roots and {LargestBundle / 1024} KiB.");
        }
    }
}
