using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// MeshTrust's own path validation (RFC 5280 section 6, as strict as OpenSSL, Envoy and ztunnel combined). The platform validates as well;
/// this one adds rules that some platforms skip (path length of a root, an authority key id with issuer and serial) and reports which link
/// is broken.
/// </summary>
internal static class CertificationPath
{
    private const int LongestPath = 10;

    /// <summary>Whether what a CA signs can verify with these roots, whatever the clock and the names say.</summary>
    public static bool Reaches(
        CertificateDocument ca, IReadOnlyList<CertificateDocument> chain, IReadOnlyList<CertificateDocument> roots) =>
        roots.Contains(ca) || Fault(ca, chain, roots, at: null) is null;

    /// <summary>
    /// Returns why the leaf does not verify with these certificates; null if it does. Any certificate among the roots is an anchor, even
    /// one that is not self-signed (Go, Envoy's partial chains and webpki agree). Without a time, validity is ignored.
    /// </summary>
    public static string? Fault(
        CertificateDocument leaf, IReadOnlyList<CertificateDocument> chain, IReadOnlyList<CertificateDocument> roots, DateTimeOffset? at)
    {
        if (roots.Count == 0) return "the verifier's root-cert.pem contains no certificate";
        var faults = new List<(int Depth, string Text)>();
        return Climb([leaf]) ? null : faults.OrderByDescending(f => f.Depth).First().Text;

        bool Climb(List<CertificateDocument> path)
        {
            var child = path[^1];
            var parents = roots.Concat(chain).Distinct().Where(c => child.NamesIssuer(c) && !path.Contains(c)).ToList();
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
                if (Refusal(path, parent, leaf, at) is { } refusal)
                {
                    faults.Add((path.Count + 1, refusal));
                    continue;
                }

                if (roots.Contains(parent)) return true;
                if (parent.IsSelfIssued)
                {
                    var end = $"the chain ends at '{parent.Subject}' (SHA-256 {parent.Sha256[..16]})";
                    faults.Add((path.Count + 1, $"{end}, which is not one of the verifier's roots"));
                }

                if (Climb([.. path, parent])) return true;
            }

            return false;
        }
    }

    private static string? Refusal(
        List<CertificateDocument> path, CertificateDocument parent, CertificateDocument leaf, DateTimeOffset? at)
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
        var below = path.Count(c => c.IsCa && !c.IsSelfIssued);
        if (parent.PathLength is { } length && below > length)
            return $"{name} has path length {length}, but there are {below} CAs below it";
        if (parent.ShutsOut(CertificateProfile.ServerAuthentication) || parent.ShutsOut(CertificateProfile.ClientAuthentication))
            return $"{name} has an extended key usage without serverAuth or clientAuth";
        var uris = leaf.Uris.Select(u => NameConstraints.AgainstTrustDomain(parent, u.Split('/').ElementAtOrDefault(2) ?? ""));
        if (uris.FirstOrDefault(f => f is not null) is { } uri) return $"{name} {uri} (name constraints)";
        var dns = path.Where(c => !c.IsSelfIssued).SelectMany(c => c.DnsNames).Select(d => NameConstraints.AgainstDns(parent, d));
        return dns.FirstOrDefault(f => f is not null) is { } fault ? $"{name} {fault} (name constraints)" : null;
    }

    private static string Name(CertificateDocument certificate, CertificateDocument leaf) =>
        ReferenceEquals(certificate, leaf) ? "the workload's certificate" : certificate.Subject;
}

/// <summary>Name constraints on URIs, DNS names and subjects (RFC 5280 section 4.2.1.10).</summary>
internal static class NameConstraints
{
    /// <summary>Returns why this CA's constraints forbid the trust domain in a SPIFFE URI; null if they allow it.</summary>
    public static string? AgainstTrustDomain(CertificateDocument ca, string trustDomain) =>
        Against("URI host", ca.PermittedUris, ca.ExcludedUris, UriMatches, trustDomain);

    /// <summary>Returns why this CA's constraints forbid a DNS name; null if they allow it.</summary>
    public static string? AgainstDns(CertificateDocument ca, string name) =>
        Against("DNS name", ca.PermittedDns, ca.ExcludedDns, DnsMatches, name);

    /// <summary>Returns why this CA's constraints forbid the subject of the intermediates; null if they allow it.</summary>
    public static string? AgainstSubject(CertificateDocument ca, CertificateAuthoritySpec intermediate) => Against(
        "subject", ca.PermittedSubjects, ca.ExcludedSubjects, SubjectMatches,
        $"O={intermediate.Organization}, CN={intermediate.CommonName}");

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

    // DNS: adding labels on the left satisfies the constraint. With a leading dot OpenSSL and Go demand at least one.
    private static bool DnsMatches(string constraint, string name) =>
        constraint.Length == 0
        || name.Equals(constraint, StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(constraint[0] == '.' ? constraint : "." + constraint, StringComparison.OrdinalIgnoreCase);

    // A subject must begin with the attributes of the constraint.
    private static bool SubjectMatches(string constraint, string subject) =>
        constraint.Length == 0 || (subject + ", ").StartsWith(constraint + ", ", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Certificates with their files, and one path through them: what rules about certificates look at.</summary>
internal interface ICertificatePath
{
    /// <summary>The lowest certificate and its available ancestors, by name and signature.</summary>
    IReadOnlyList<CertificateDocument> Path { get; }

    IReadOnlyList<CertificateDocument> Roots { get; }

    /// <summary>Every distinct certificate with the file that contains it.</summary>
    IEnumerable<(CertificateDocument Certificate, string File)> All { get; }
}

/// <summary>Questions that the checks and the proof ask about certificates and their files.</summary>
internal static class CertificateFacts
{
    /// <summary>Whether names and signature match.</summary>
    public static bool Issued(this CertificateDocument issuer, CertificateDocument child) =>
        child.NamesIssuer(issuer) && child.IsSignedBy(issuer);

    /// <summary>
    /// Whether extended key usage excludes this purpose. RFC 5280 section 4.2.1.12: none means any, and so does anyExtendedKeyUsage.
    /// </summary>
    public static bool ShutsOut(this CertificateDocument ca, string purpose) =>
        ca.ExtendedKeyUsages.Count > 0 && !ca.ExtendedKeyUsages.Contains("2.5.29.37.0") && !ca.ExtendedKeyUsages.Contains(purpose);

    /// <summary>
    /// The defects of a file that break some peer: all except text between or after the blocks, which every peer ignores. The only
    /// label allowed in it is <paramref name="label"/>.
    /// </summary>
    public static IReadOnlyList<string> Breaks(this PemDocument document, string label = PemLabel.Certificate) =>
    [
        .. document.Defects.Where(d => d != document.StrayText),
        .. from block in document.Blocks
           where block.Label != label
           where block.Label is PemLabel.PrivateKey or PemLabel.RsaPrivateKey or PemLabel.EcPrivateKey or PemLabel.Crl
           select $"The block at line {block.Line} is '{block.Label}': ztunnel rejects the whole bundle because of it.",
    ];
}
