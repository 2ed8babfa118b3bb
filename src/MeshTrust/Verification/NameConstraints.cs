using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>Name constraints on URIs and DNS names (RFC 5280 section 4.2.1.10).</summary>
internal static class NameConstraints
{
    /// <summary>Why this CA's constraints forbid the trust domain in a SPIFFE URI; null where they do not.</summary>
    public static string? AgainstTrustDomain(CertificateDocument ca, string trustDomain)
    {
        if (ca.PermittedUris.Count > 0 && !ca.PermittedUris.Any(p => UriMatches(p, trustDomain)))
        {
            return $"permits only the URI hosts {Quote(ca.PermittedUris)}, not '{trustDomain}'";
        }

        return ca.ExcludedUris.FirstOrDefault(e => UriMatches(e, trustDomain)) is { } excluded ? $"excludes the URI host '{excluded}' and with it '{trustDomain}'" : null;
    }

    /// <summary>Why this CA's constraints forbid a DNS name; null where they do not.</summary>
    public static string? AgainstDns(CertificateDocument ca, string name)
    {
        if (ca.PermittedDns.Count > 0 && !ca.PermittedDns.Any(p => DnsMatches(p, name))) return $"permits only the DNS names {Quote(ca.PermittedDns)}, not '{name}'";
        return ca.ExcludedDns.FirstOrDefault(e => DnsMatches(e, name)) is { } excluded ? $"excludes the DNS name '{excluded}' and with it '{name}'" : null;
    }

    // A leading dot means any host below; without one it is exactly that host.
    private static bool UriMatches(string constraint, string host) => constraint.StartsWith('.')
        ? host.EndsWith(constraint, StringComparison.OrdinalIgnoreCase)
        : host.Equals(constraint, StringComparison.OrdinalIgnoreCase);

    // DNS: adding labels on the left satisfies the constraint.
    private static bool DnsMatches(string constraint, string name) =>
        constraint.Length == 0
        || name.Equals(constraint.TrimStart('.'), StringComparison.OrdinalIgnoreCase)
        || name.EndsWith("." + constraint.TrimStart('.'), StringComparison.OrdinalIgnoreCase);

    private static string Quote(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"'{n}'"));
}
