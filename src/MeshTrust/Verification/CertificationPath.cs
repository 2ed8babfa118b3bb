using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>
/// MeshTrust's own path validation (RFC 5280 section 6, as strict as OpenSSL, Envoy and ztunnel combined). <see cref="PlatformPath"/>
/// validates as well; this one adds rules that some platforms skip (path length of a root, an authority key id with issuer and serial) and
/// reports which link is broken.
/// </summary>
internal static class CertificationPath
{
    private const int LongestPath = 10;

    /// <summary>Returns why the leaf does not verify with these certificates; null if it does.</summary>
    public static string? Fault(
        CertificateDocument leaf, IReadOnlyList<CertificateDocument> chain, IReadOnlyList<CertificateDocument> roots, string trustDomain,
        DateTimeOffset at)
    {
        if (roots.Count == 0) return "the verifier's root-cert.pem contains no certificate";
        var faults = new List<(int Depth, string Text)>();
        return Climb([leaf]) ? null : faults.OrderByDescending(f => f.Depth).First().Text;

        bool Climb(List<CertificateDocument> path)
        {
            var child = path[^1];
            var parents = roots.Concat(chain).Distinct().Where(c => c.HasSubjectOfIssuer(child) && !path.Contains(c)).ToList();
            if (parents.Count == 0)
            {
                var missing = $"no certificate for the issuer '{child.Issuer}' of '{Name(child, leaf)}'";
                faults.Add((path.Count, $"{missing}, neither in its chain nor among the roots"));
            }

            if (path.Count > LongestPath)
            {
                faults.Add((path.Count, $"the chain has more than {LongestPath} certificates"));
                return false;
            }

            foreach (var parent in parents)
            {
                if (Refusal(path, parent, leaf, trustDomain, at) is { } refusal)
                {
                    faults.Add((path.Count + 1, refusal));
                    continue;
                }

                if (parent.IsSelfIssued)
                {
                    if (roots.Contains(parent)) return true;
                    var end = $"the chain ends at '{parent.Subject}' (SHA-256 {parent.Sha256[..16]})";
                    faults.Add((path.Count + 1, $"{end}, which is not one of the verifier's roots"));
                }

                if (Climb([.. path, parent])) return true;
            }

            return false;
        }
    }

    private static string? Refusal(
        List<CertificateDocument> path, CertificateDocument parent, CertificateDocument leaf, string trustDomain, DateTimeOffset at)
    {
        var child = path[^1];
        var (name, childName) = ($"'{parent.Subject}'", $"'{Name(child, leaf)}'");
        if (!child.IsSignedBy(parent))
            return $"the signature on {childName} was not made with the key of {name} (SHA-256 {parent.Sha256[..16]})";
        if (child.AuthorityKeyId is { } named && parent.SubjectKeyId is { } own && named != own)
            return $"{childName} refers to issuer key id {named}, but {name} has {own}";
        if (child.AuthoritySerialNumber is { } serial && serial != parent.SerialNumber)
            return $"{childName} refers to issuer serial {serial}, but {name} has {parent.SerialNumber}";
        if (at < parent.NotBefore) return $"{name} is not valid before {parent.NotBefore:u}";
        if (at > parent.NotAfter) return $"{name} expired at {parent.NotAfter:u}";
        if (!parent.IsCa) return $"{name} is not a CA (basic constraints)";
        if (parent.KeyUsage is { } usage && !usage.HasFlag(CertificateKeyUsage.KeyCertSign))
            return $"{name} may not sign certificates (key usage without keyCertSign)";
        var below = path.Skip(1).Count(c => !c.IsSelfIssued);
        if (parent.PathLength is { } length && below > length)
            return $"{name} has path length {length}, but there are {below} CAs below it";
        if (parent.ShutsOut(CertificateProfile.ServerAuthentication) || parent.ShutsOut(CertificateProfile.ClientAuthentication))
            return $"{name} has an extended key usage without serverAuth or clientAuth";
        if (NameConstraints.AgainstTrustDomain(parent, trustDomain) is { } uri) return $"{name} {uri} (name constraints)";
        var dns = path.Where(c => !c.IsSelfIssued).SelectMany(c => c.DnsNames).Select(d => NameConstraints.AgainstDns(parent, d));
        return dns.FirstOrDefault(f => f is not null) is { } fault ? $"{name} {fault} (name constraints)" : null;
    }

    private static string Name(CertificateDocument certificate, CertificateDocument leaf) =>
        ReferenceEquals(certificate, leaf) ? "the workload's certificate" : certificate.Subject;
}

/// <summary>
/// Path validation by the platform: only the given roots are trusted, nothing is downloaded, and no other certificate is used.
/// </summary>
internal static class PlatformPath
{
    public static X509ChainPolicy Policy(X509Certificate2Collection roots, X509Certificate2Collection chain, DateTimeOffset at)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = at.UtcDateTime,
            VerificationTimeIgnored = false,
        };
        policy.CustomTrustStore.AddRange(roots);
        policy.ExtraStore.AddRange(chain);
        return policy;
    }

    /// <summary>Returns why the identity's leaf does not verify with these roots; null if it does.</summary>
    public static string? Fault(ProbeIdentity from, X509Certificate2Collection roots, DateTimeOffset at)
    {
        using var chain = new X509Chain { ChainPolicy = Policy(roots, from.PlatformChain, at) };
        foreach (var purpose in new[] { CertificateProfile.ServerAuthentication, CertificateProfile.ClientAuthentication })
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid(purpose));
        try
        {
            return chain.Build(from.LeafWithKey!) ? Stranger(chain, from, roots) : Explain(chain);
        }
        catch (CryptographicException fault)
        {
            return $"the platform cannot validate this chain ({fault.GetType().Name})";
        }
        finally
        {
            foreach (var element in chain.ChainElements) element.Certificate.Dispose();
        }
    }

    public static string Explain(X509Chain chain) =>
        $"the platform's chain validation reports {string.Join(", ", chain.ChainStatus.Select(s => s.Status).Distinct().Order())}";

    // The platform may use intermediates from the user's certificate stores: a peer does not get them, so they must not count.
    private static string? Stranger(X509Chain chain, ProbeIdentity from, X509Certificate2Collection roots)
    {
        var used = chain.ChainElements.Skip(1).Select(e => e.Certificate);
        return used.FirstOrDefault(c => !Holds(from.PlatformChain, c) && !Holds(roots, c)) is { } stranger
            ? $"the platform needed '{stranger.Subject}', which is in neither of the two files"
            : null;
    }

    private static bool Holds(X509Certificate2Collection certificates, X509Certificate2 certificate) =>
        certificates.Any(c => c.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span));
}

/// <summary>Name constraints on URIs and DNS names (RFC 5280 section 4.2.1.10).</summary>
internal static class NameConstraints
{
    /// <summary>Returns why this CA's constraints forbid the trust domain in a SPIFFE URI; null if they allow it.</summary>
    public static string? AgainstTrustDomain(CertificateDocument ca, string trustDomain) =>
        Against("URI host", ca.PermittedUris, ca.ExcludedUris, UriMatches, trustDomain);

    /// <summary>Returns why this CA's constraints forbid a DNS name; null if they allow it.</summary>
    public static string? AgainstDns(CertificateDocument ca, string name) =>
        Against("DNS name", ca.PermittedDns, ca.ExcludedDns, DnsMatches, name);

    private static string? Against(
        string kind, IReadOnlyList<string> permitted, IReadOnlyList<string> excluded, Func<string, string, bool> matches, string name)
    {
        if (permitted.Count > 0 && !permitted.Any(p => matches(p, name)))
            return $"permits only the {kind}s {string.Join(", ", permitted.Select(n => $"'{n}'"))}, not '{name}'";
        return excluded.FirstOrDefault(e => matches(e, name)) is { } covering
            ? $"excludes the {kind} '{covering}', which covers '{name}'" : null;
    }

    // A leading dot matches any subdomain; without it only that exact host matches.
    private static bool UriMatches(string constraint, string host) => constraint.StartsWith('.')
        ? host.EndsWith(constraint, StringComparison.OrdinalIgnoreCase)
        : host.Equals(constraint, StringComparison.OrdinalIgnoreCase);

    // DNS: adding labels on the left satisfies the constraint.
    private static bool DnsMatches(string constraint, string name) =>
        constraint.Length == 0
        || name.Equals(constraint.TrimStart('.'), StringComparison.OrdinalIgnoreCase)
        || name.EndsWith("." + constraint.TrimStart('.'), StringComparison.OrdinalIgnoreCase);
}
