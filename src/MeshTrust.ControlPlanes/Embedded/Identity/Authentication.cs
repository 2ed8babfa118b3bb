using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;

namespace MeshTrust.ControlPlanes.Embedded.Identity;

/// <summary>Finds out who a client is, from the certificate of its connection.</summary>
internal sealed class Authentication(X509Certificate2 ca, TimeProvider clock)
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const string CommonName = "2.5.4.3";
    private const string Organization = "2.5.4.10";

    // A chain is built once for a connection, not for each request.
    private readonly ConditionalWeakTable<X509Certificate2, Caller> _known = [];

    /// <summary>The caller; null is 401: a certificate of another CA or out of date, or a bearer token (this server knows none).</summary>
    public Caller? Identify(X509Certificate2? certificate, string authorization)
    {
        if (certificate is not null && Verify(certificate) is { } caller) return caller;
        if (certificate is not null || authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return null;
        return Caller.Anonymous;
    }

    private Caller? Verify(X509Certificate2 certificate)
    {
        var now = clock.GetUtcNow();
        if (now < certificate.NotBefore || now > certificate.NotAfter) return null;
        if (_known.TryGetValue(certificate, out var known)) return known;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(ca);
        chain.ChainPolicy.ApplicationPolicy.Add(new(ClientAuthentication));
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.LocalDateTime;
        if (!chain.Build(certificate)) return null;
        var names = certificate.SubjectName.EnumerateRelativeDistinguishedNames().Where(r => !r.HasMultipleElements).ToList();
        var user = names.LastOrDefault(r => r.GetSingleElementType().Value == CommonName)?.GetSingleElementValue();
        if (string.IsNullOrEmpty(user)) return null;
        var groups = names.Where(r => r.GetSingleElementType().Value == Organization).Select(r => r.GetSingleElementValue() ?? string.Empty);
        var caller = new Caller(user, [.. groups, "system:authenticated"]);
        _known.AddOrUpdate(certificate, caller);
        return caller;
    }
}
