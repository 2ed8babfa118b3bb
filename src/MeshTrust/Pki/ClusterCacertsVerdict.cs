using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>Whether a cluster's files stay. Pure.</summary>
internal sealed record ClusterCacertsVerdict
{
    /// <summary>The files, where they stay.</summary>
    internal ClusterCacerts? Keep { get; private init; }

    /// <summary>Why they are replaced; null where they stay or where there are none.</summary>
    internal string? Reason { get; private init; }

    internal IReadOnlyList<string> Notes { get; private init; } = [];

    internal static ClusterCacertsVerdict Judge(ClusterName cluster, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, TrustSpec trust, CertificateDocument root, DateTimeOffset now)
    {
        if (files.Count == 0) return new ClusterCacertsVerdict();
        ClusterCacerts cacerts;
        try
        {
            cacerts = ClusterCacerts.FromFiles(cluster, files);
        }
        catch (MeshTrustException fault)
        {
            return Replace(ClusterCacertsRepair.Summary(fault.Problems));
        }

        var certificate = cacerts.Certificate;
        if (!cacerts.Root.Equals(root)) return Replace($"It chains to another root: {cacerts.Root}.");
        if (now < certificate.NotBefore) return Replace($"It is valid from {certificate.NotBefore:yyyy-MM-dd'T'HH:mm:ss'Z'} on only.");
        var drift = AuthorityDrift.Between(certificate, trust.Intermediate, cluster.Value, root);
        if (drift.Count > 0) return Replace($"It was made with other options: {string.Join("; ", drift)}.");
        return JudgeLifetime(cacerts, trust, root, now);
    }

    /// <summary>
    /// Near its end, and a fresh one would end later. Where a fresh one would itself be due at once (a threshold longer than the lifetime,
    /// or a root near its end), the last third of its life counts instead: else every run would issue anew.
    /// </summary>
    private static ClusterCacertsVerdict JudgeLifetime(ClusterCacerts cacerts, TrustSpec trust, CertificateDocument root, DateTimeOffset now)
    {
        var certificate = cacerts.Certificate;
        if (!trust.RenewBefore.IsDue(certificate.NotBefore, certificate.NotAfter, now)) return new ClusterCacertsVerdict { Keep = cacerts };
        var fresh = now + TimeSpan.FromDays(trust.Intermediate.Days);
        if (root.NotAfter < fresh) fresh = root.NotAfter;
        var freshIsDue = trust.RenewBefore.IsDue(now, fresh, now);
        var lastThird = certificate.NotAfter - ((certificate.NotAfter - certificate.NotBefore) / 3);
        if (fresh <= certificate.NotAfter + TimeSpan.FromMinutes(1) || (freshIsDue && now < lastThird))
        {
            return new ClusterCacertsVerdict
            {
                Keep = cacerts,
                Notes = [$"It ends on {certificate.NotAfter:yyyy-MM-dd'T'HH:mm:ss'Z'}, within {trust.RenewBefore}, but a new one would be as near its end: it is kept. Shorten --renew-before, or rotate the root if the root is what ends."],
            };
        }

        return Replace(now > certificate.NotAfter
            ? $"It ended on {certificate.NotAfter:yyyy-MM-dd'T'HH:mm:ss'Z'}."
            : $"It ends on {certificate.NotAfter:yyyy-MM-dd'T'HH:mm:ss'Z'}, within {trust.RenewBefore}.");
    }

    private static ClusterCacertsVerdict Replace(string reason) => new() { Reason = reason };
}
