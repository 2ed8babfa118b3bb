using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MeshTrust.Settings;

/// <summary>Settings of the common trust: values and file names, never key material.</summary>
public sealed record TrustSpec
{
    /// <summary>The defaults of Istio's tools/certs/common.mk.</summary>
    public static TrustSpec Default { get; } = new();

    /// <summary>The namespace of istiod and the <c>cacerts</c> secret.</summary>
    public string Namespace { get; init; } = "istio-system";

    /// <summary>The mesh's trust domain, the host of every SPIFFE id in it.</summary>
    public string TrustDomain { get; init; } = "cluster.local";

    /// <summary>The root CA.</summary>
    public CertificateAuthoritySpec Root { get; init; } =
        new() { CommonName = "Root CA", Organization = "Istio", Days = 3650, Key = KeyAlgorithm.Rsa4096 };

    /// <summary>Each cluster's intermediate CA; its subject carries the cluster's name as L.</summary>
    public CertificateAuthoritySpec Intermediate { get; init; } = new()
    {
        CommonName = "Intermediate CA", Organization = "Istio", Days = 3650, Key = KeyAlgorithm.Rsa4096,
        DnsNames = ["istiod.istio-system.svc"],
    };

    /// <summary>When an intermediate is due for renewal.</summary>
    public RenewalThreshold RenewBefore { get; init; } = RenewalThreshold.Default;

    /// <summary>The user's own root certificate (PEM file); null if MeshTrust creates one.</summary>
    public string? RootCertificateFile { get; init; }

    /// <summary>The key (PEM file) to <see cref="RootCertificateFile"/>.</summary>
    public string? RootKeyFile { get; init; }

    /// <summary>Opens and encrypts the key of the root; null if it is not encrypted.</summary>
    internal RootPassphrase? RootPassphrase { get; init; }

    /// <summary>Whether <c>cert-chain.pem</c> leaves the root out (<c>--minimal-chain</c>); Istio's Makefile puts it in.</summary>
    public bool MinimalChain { get; init; }
}

/// <summary>Settings of a CA certificate: the variables of Istio's common.mk.</summary>
public sealed record CertificateAuthoritySpec
{
    /// <summary>CN of the subject.</summary>
    public required string CommonName { get; init; }

    /// <summary>O of the subject.</summary>
    public required string Organization { get; init; }

    /// <summary>Lifetime in days, 1 to 36500.</summary>
    public required int Days { get; init; }

    /// <summary>The key type to generate.</summary>
    public required KeyAlgorithm Key { get; init; }

    /// <summary>DNS names for the subject alternative name; only intermediates have them.</summary>
    public IReadOnlyList<string> DnsNames { get; init; } = [];
}

/// <summary>
/// The CA keys that istiod, Envoy and ztunnel all take (istio security/pkg/pki/util/generate_cert.go names P-256 and P-384).
/// </summary>
public enum KeyAlgorithm
{
    /// <summary>RSA, 2048 bits.</summary>
    Rsa2048,

    /// <summary>RSA, 3072 bits.</summary>
    Rsa3072,

    /// <summary>RSA, 4096 bits: the default of Istio's Makefile.</summary>
    Rsa4096,

    /// <summary>ECDSA on NIST P-256.</summary>
    EcdsaP256,

    /// <summary>ECDSA on NIST P-384.</summary>
    EcdsaP384,
}

/// <summary>When a certificate is due for renewal: a percentage of its lifetime or a duration.</summary>
public sealed record RenewalThreshold
{
    /// <summary>30 days before the end.</summary>
    public static RenewalThreshold Default { get; } = new() { Remaining = TimeSpan.FromDays(30) };

    /// <summary>Due when less than this is left; null where <see cref="Percent"/> is given.</summary>
    public TimeSpan? Remaining { get; init; }

    /// <summary>Due when less than this share (1 to 99) of the lifetime is left; null where <see cref="Remaining"/> is given.</summary>
    public int? Percent { get; init; }

    /// <summary>Whether a certificate with this lifetime is due at <paramref name="now"/>.</summary>
    public bool IsDue(DateTimeOffset notBefore, DateTimeOffset notAfter, DateTimeOffset now)
    {
        var threshold = Percent is { } percent ? (notAfter - notBefore) * (percent / 100.0) : Remaining ?? TimeSpan.Zero;
        return notAfter - now < threshold;
    }

    /// <summary>
    /// As <see cref="IsDue"/>, for certificates that may live shorter than the threshold (30 days of one day): then the last third of the
    /// lifetime counts, because every run would renew otherwise.
    /// </summary>
    internal bool IsDueOf(DateTimeOffset notBefore, DateTimeOffset notAfter, DateTimeOffset now)
    {
        var lifetime = notAfter - notBefore;
        return Remaining > lifetime * 0.9 ? now > notAfter - (lifetime / 3) : IsDue(notBefore, notAfter, now);
    }

    /// <summary>
    /// Reads a share from <c>1%</c> to <c>99%</c>, or a duration such as <c>30d</c> or <c>36h</c>, from one second to 36500 days.
    /// </summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out RenewalThreshold? threshold)
    {
        threshold = null;
        if (text is null) return false;
        if (text.EndsWith('%'))
        {
            var isShare = int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var percent);
            if (isShare && percent is >= 1 and <= 99) threshold = new RenewalThreshold { Percent = percent };
        }
        else if (DurationText.TryParse(text, out var remaining) && remaining > TimeSpan.Zero && remaining <= TimeSpan.FromDays(36500))
            threshold = new RenewalThreshold { Remaining = remaining };

        return threshold is not null;
    }

    /// <summary>As the user would write it: <c>25%</c> or <c>30d</c>.</summary>
    public override string ToString() => Percent is { } percent ? $"{percent}%" : DurationText.Write(Remaining ?? TimeSpan.Zero);
}

/// <summary>A workload by its service account, which is its identity in the mesh.</summary>
internal sealed record WorkloadName(string Namespace, string ServiceAccount)
{
    /// <summary>The only URI of its certificate.</summary>
    public string SpiffeId(string trustDomain) => $"spiffe://{trustDomain}/ns/{Namespace}/sa/{ServiceAccount}";

    public override string ToString() => $"{Namespace}/{ServiceAccount}";
}

/// <summary>Durations as people write them: <c>90s</c>, <c>20m</c>, <c>1h30m</c>, <c>30d</c>.</summary>
internal static class DurationText
{
    private const string Units = "dhms";

    /// <summary>Reads whole numbers with the units d, h, m and s, each at most once and the greater first.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text.Length is 0 or > 32) return false;
        var lastUnit = -1;
        double seconds = 0;
        for (var at = 0; at < text.Length; at++)
        {
            var start = at;
            while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
            if (at == start || at == text.Length || at - start > 9) return false;
            var unit = Units.IndexOf(text[at], StringComparison.Ordinal);
            if (unit <= lastUnit) return false;
            lastUnit = unit;
            var count = int.Parse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture);
            seconds += count * unit switch { 0 => 86400.0, 1 => 3600.0, 2 => 60.0, _ => 1.0 };
        }

        if (seconds > TimeSpan.FromDays(365_000).TotalSeconds) return false;
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    /// <summary>The shortest form that <see cref="TryParse"/> reads back: <c>20m</c>, <c>1h30m</c>.</summary>
    public static string Write(TimeSpan duration)
    {
        (long Count, char Unit)[] parts = [(duration.Days, 'd'), (duration.Hours, 'h'), (duration.Minutes, 'm'), (duration.Seconds, 's')];
        var text = string.Concat(parts.Where(p => p.Count > 0).Select(p => $"{p.Count}{p.Unit}"));
        return text.Length == 0 ? "0s" : text;
    }
}

/// <summary>The phases of a change of root, in their order. A change that is cross-signed begins with the second.</summary>
internal enum RootPhase
{
    /// <summary>Every cluster trusts both roots; all certificates come from the old one.</summary>
    TrustBoth,

    /// <summary>Every cluster gets an intermediate under the new root.</summary>
    SwitchIssuer,

    /// <summary>Only the new root is trusted.</summary>
    DropOld,
}
