using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>
/// Our own path validation (RFC 5280 section 6, as strict as OpenSSL, Envoy and ztunnel are together). The platform's X509Chain judges too;
/// this one adds what some platform misses (path length of a root, an authority key id with issuer and serial) and says which link is broken.
/// </summary>
internal static class CertificationPath
{
    private const int LongestPath = 10;

    private static readonly string[] Purposes = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];

    /// <summary>Why the leaf does not verify with these certificates; null where it does.</summary>
    /// <param name="leaf">The workload's certificate.</param>
    /// <param name="chain">What the workload sends with it.</param>
    /// <param name="roots">What the verifier trusts.</param>
    /// <param name="trustDomain">The host of the SPIFFE id in the leaf.</param>
    /// <param name="at">The moment of the handshake.</param>
    public static string? Fault(
        CertificateDocument leaf,
        IReadOnlyList<CertificateDocument> chain,
        IReadOnlyList<CertificateDocument> roots,
        string trustDomain,
        DateTimeOffset at)
    {
        if (roots.Count == 0) return "the verifier's root-cert.pem holds no certificate";
        var faults = new List<(int Depth, string Text)>();
        return Climb([leaf]) ? null : faults.OrderByDescending(f => f.Depth).First().Text;

        bool Climb(List<CertificateDocument> path)
        {
            var child = path[^1];
            var parents = roots.Concat(chain).Distinct().Where(c => c.RawSubject.Span.SequenceEqual(child.RawIssuer.Span) && !path.Contains(c)).ToList();
            if (parents.Count == 0) faults.Add((path.Count, $"no certificate for the issuer '{child.Issuer}' of '{Name(child, leaf)}', neither in its chain nor among the roots"));
            if (path.Count > LongestPath) return false;
            foreach (var parent in parents)
            {
                if (Refusal(path, parent, leaf, trustDomain, at) is { } refusal)
                {
                    faults.Add((path.Count + 1, refusal));
                    continue;
                }

                List<CertificateDocument> longer = [.. path, parent];
                if (parent.IsSelfIssued)
                {
                    if (roots.Contains(parent)) return true;
                    faults.Add((path.Count + 1, $"the chain ends at '{parent.Subject}' (SHA-256 {parent.Sha256[..16]}), which is none of the verifier's roots"));
                }

                if (Climb(longer)) return true;
            }

            return false;
        }
    }

    private static string? Refusal(List<CertificateDocument> path, CertificateDocument parent, CertificateDocument leaf, string trustDomain, DateTimeOffset at)
    {
        var child = path[^1];
        var name = $"'{parent.Subject}'";
        if (!child.IsSignedBy(parent)) return $"the signature on '{Name(child, leaf)}' was not made with the key of {name} (SHA-256 {parent.Sha256[..16]})";
        if (child.AuthorityKeyId is { } named && parent.SubjectKeyId is { } own && named != own) return $"'{Name(child, leaf)}' names the key id {named} of its issuer, but {name} has {own}";
        if (child.AuthoritySerialNumber is { } serial && serial != parent.SerialNumber) return $"'{Name(child, leaf)}' names serial {serial} of its issuer, but {name} has {parent.SerialNumber}";
        if (at < parent.NotBefore) return $"{name} is not valid before {parent.NotBefore:u}";
        if (at > parent.NotAfter) return $"{name} expired at {parent.NotAfter:u}";
        if (!parent.IsCa) return $"{name} is no CA (basic constraints)";
        if (parent.KeyUsage is { } usage && !usage.HasFlag(CertificateKeyUsage.KeyCertSign)) return $"{name} may not sign certificates (key usage without keyCertSign)";
        var below = path.Skip(1).Count(c => !c.IsSelfIssued);
        if (parent.PathLength is { } length && below > length) return $"{name} has path length {length}, but {below} CAs stand below it";
        if (parent.ExtendedKeyUsages.Count > 0 && !parent.ExtendedKeyUsages.Contains("2.5.29.37.0") && Purposes.Except(parent.ExtendedKeyUsages).Any())
        {
            return $"{name} is limited by its extended key usage, which lacks serverAuth or clientAuth";
        }

        if (NameConstraints.AgainstTrustDomain(parent, trustDomain) is { } uri) return $"{name} {uri} (name constraints)";
        return path.Where(c => !c.IsSelfIssued).SelectMany(c => c.DnsNames).Select(d => NameConstraints.AgainstDns(parent, d)).FirstOrDefault(f => f is not null) is { } dns
            ? $"{name} {dns} (name constraints)"
            : null;
    }

    private static string Name(CertificateDocument certificate, CertificateDocument leaf) => ReferenceEquals(certificate, leaf) ? "the workload's certificate" : certificate.Subject;
}
