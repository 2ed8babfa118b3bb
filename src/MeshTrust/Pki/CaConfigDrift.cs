using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>How an existing certificate differs from what the user requests now. Pure.</summary>
internal static class CaConfigDrift
{
    /// <summary>Covers backdating (five minutes here, none with OpenSSL) and the seconds between two certificates of one run.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromHours(1);

    /// <summary>
    /// Each difference in words: what exists, and what was requested. Only what options control; Verify checks extensions. The location
    /// is the cluster's name. A root has none, and no issuers that may have capped the lifetime.
    /// </summary>
    internal static IReadOnlyList<string> Between(
        CertificateDocument certificate, CertificateAuthoritySpec wanted, string? location,
        IReadOnlyList<CertificateDocument> issuers)
    {
        var drift = new List<string>();
        Compare("CN", wanted.CommonName);
        Compare("O", wanted.Organization);
        if (location is not null) Compare("L", location);
        if (certificate.Key.Known != wanted.Key)
            drift.Add($"its key is {certificate.PublicKey}, but {PublicKeyInfo.Name(wanted.Key)} was requested");
        var names = wanted.DnsNames.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        if (location is not null && !certificate.DnsNames.Order(StringComparer.Ordinal).SequenceEqual(names))
        {
            var (there, asked) = (string.Join(", ", certificate.DnsNames), string.Join(", ", wanted.DnsNames));
            drift.Add($"its DNS names are [{there}], but [{asked}] were requested");
        }

        var days = TimeSpan.FromDays(wanted.Days);
        var expected = certificate.NotBefore > DateTimeOffset.MaxValue - days ? DateTimeOffset.MaxValue : certificate.NotBefore + days;
        foreach (var issuer in issuers) if (issuer.NotAfter < expected) expected = issuer.NotAfter;
        // An issuer that is younger was renewed since, and its earlier end may have been the limit.
        var mayEndEarlier = issuers.Any(issuer => certificate.NotBefore < issuer.NotBefore) && certificate.NotAfter < expected;
        if (!mayEndEarlier && (certificate.NotAfter - expected).Duration() > Tolerance)
        {
            var there = (certificate.NotAfter - certificate.NotBefore).TotalDays;
            drift.Add($"it is valid for {there:0.#} days, but {wanted.Days} were requested");
        }

        return drift;

        void Compare(string type, string value)
        {
            var there = certificate.SubjectAttributes.Where(a => a.Type == type).Select(a => a.Value).ToList();
            if (there.Count != 1 || there[0] != value)
                drift.Add($"its {type} is '{string.Join("', '", there)}', but '{value}' was requested");
        }
    }
}
