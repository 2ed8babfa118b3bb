using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>How a certificate that is there differs from what the user wants now. Pure.</summary>
internal static class CaConfigDrift
{
    /// <summary>Backdating (ours five minutes, OpenSSL's none) and the seconds between two certificates of one run.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromHours(1);

    /// <summary>
    /// Each difference as words: what is there, and what is asked for. Only what an option can say; extensions are the proof's business.
    /// </summary>
    /// <param name="certificate">The certificate that is there.</param>
    /// <param name="wanted">What the user wants.</param>
    /// <param name="location">The L of the subject: the cluster's name; null for a root.</param>
    /// <param name="parent">The root, which may have ended the lifetime early; null for a root.</param>
    internal static IReadOnlyList<string> Between(
        CertificateDocument certificate, CertificateAuthoritySpec wanted, string? location, CertificateDocument? parent)
    {
        var drift = new List<string>();
        Compare("CN", wanted.CommonName);
        Compare("O", wanted.Organization);
        if (location is not null) Compare("L", location);
        if (certificate.KeyAlgorithm != wanted.Key)
            drift.Add($"its key is {certificate.PublicKey}, and {PublicKeyInfo.Name(wanted.Key)} is asked for");
        var names = wanted.DnsNames.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        if (parent is not null && !certificate.DnsNames.Order(StringComparer.Ordinal).SequenceEqual(names))
        {
            var (there, asked) = (string.Join(", ", certificate.DnsNames), string.Join(", ", wanted.DnsNames));
            drift.Add($"its DNS names are [{there}], and [{asked}] are asked for");
        }

        var days = TimeSpan.FromDays(wanted.Days);
        var expected = certificate.NotBefore > DateTimeOffset.MaxValue - days ? DateTimeOffset.MaxValue : certificate.NotBefore + days;
        if (parent is not null && parent.NotAfter < expected) expected = parent.NotAfter;
        if ((certificate.NotAfter - expected).Duration() > Tolerance)
        {
            var there = (certificate.NotAfter - certificate.NotBefore).TotalDays;
            drift.Add($"it is valid for {there:0.#} days, and {wanted.Days} are asked for");
        }

        return drift;

        void Compare(string type, string value)
        {
            var there = certificate.SubjectAttributes.Where(a => a.Type == type).Select(a => a.Value).ToList();
            if (there.Count != 1 || there[0] != value)
                drift.Add($"its {type} is '{string.Join("', '", there)}', and '{value}' is asked for");
        }
    }
}
