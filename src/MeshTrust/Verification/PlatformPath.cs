using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

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

    /// <summary>Returns why the leaf does not verify with this chain and these roots; null if it does.</summary>
    public static string? Fault(X509Certificate2 leaf, X509Certificate2Collection sent, X509Certificate2Collection roots, DateTimeOffset at)
    {
        using var chain = new X509Chain { ChainPolicy = Policy(roots, sent, at) };
        foreach (var purpose in new[] { CertificateProfile.ServerAuthentication, CertificateProfile.ClientAuthentication })
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid(purpose));
        try
        {
            chain.Build(leaf);
            return Fault(chain, roots) ?? Stranger(chain, sent, roots);
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

    /// <summary>
    /// What is wrong up to the first certificate that is one of the roots. The platform only accepts self-signed anchors; peers accept any.
    /// </summary>
    public static string? Fault(X509Chain chain, X509Certificate2Collection roots)
    {
        var below = chain.ChainElements.Skip(1).TakeWhile(e => !Holds(roots, e.Certificate)).Count() + 1;
        if (below >= chain.ChainElements.Count) return Explain(chain.ChainStatus);
        var faults = chain.ChainElements.Take(below + 1).SelectMany(e => e.ChainElementStatus)
            .Where(s => s.Status is not (X509ChainStatusFlags.PartialChain or X509ChainStatusFlags.UntrustedRoot)).ToArray();
        return faults.Length == 0 ? null : Explain(faults);
    }

    private static string Explain(X509ChainStatus[] faults) =>
        $"the platform's chain validation reports {string.Join(", ", faults.Select(s => s.Status).Distinct().Order())}";

    // The platform may use intermediates from the user's certificate stores: a peer does not get them, so they must not count.
    private static string? Stranger(X509Chain chain, X509Certificate2Collection sent, X509Certificate2Collection roots)
    {
        var used = chain.ChainElements.Skip(1).Select(e => e.Certificate);
        return used.FirstOrDefault(c => !Holds(sent, c) && !Holds(roots, c)) is { } stranger
            ? $"the platform needed '{stranger.Subject}', which is in neither of the two files"
            : null;
    }

    private static bool Holds(X509Certificate2Collection certificates, X509Certificate2 certificate) =>
        certificates.Any(c => c.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span));
}
