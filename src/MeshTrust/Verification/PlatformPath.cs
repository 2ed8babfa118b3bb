using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MeshTrust.Verification;

/// <summary>Path validation by the platform: only the given roots are trusted, nothing is fetched, and no foreign certificate may help.</summary>
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

    /// <summary>Why the identity's leaf does not verify with these roots; null where it does.</summary>
    public static string? Fault(ProbeIdentity from, X509Certificate2Collection roots, DateTimeOffset at)
    {
        using var chain = new X509Chain { ChainPolicy = Policy(roots, from.PlatformChain, at) };
        foreach (var purpose in new[] { "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2" }) chain.ChainPolicy.ApplicationPolicy.Add(new Oid(purpose));
        try
        {
            if (!chain.Build(from.LeafWithKey!)) return Explain(chain);
            return Stranger(chain, from, roots);
        }
        catch (CryptographicException fault)
        {
            return $"the platform cannot judge this chain ({fault.GetType().Name})";
        }
        finally
        {
            foreach (var element in chain.ChainElements) element.Certificate.Dispose();
        }
    }

    public static string Explain(X509Chain chain)
    {
        var statuses = chain.ChainStatus.Select(s => s.Status).Distinct().Order().ToList();
        return $"the platform's chain engine says {string.Join(", ", statuses)}";
    }

    // The platform may take intermediates from the user's own stores: what a peer would not be sent must not count.
    private static string? Stranger(X509Chain chain, ProbeIdentity from, X509Certificate2Collection roots)
    {
        foreach (var element in chain.ChainElements.Skip(1))
        {
            var der = element.Certificate.RawDataMemory.Span;
            if (!Holds(from.PlatformChain, der) && !Holds(roots, der)) return $"the platform needed '{element.Certificate.Subject}', which is in neither file";
        }

        return null;
    }

    private static bool Holds(X509Certificate2Collection certificates, ReadOnlySpan<byte> der)
    {
        foreach (var certificate in certificates)
        {
            if (certificate.RawDataMemory.Span.SequenceEqual(der)) return true;
        }

        return false;
    }
}
