using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace MeshTrust.Kubernetes;

/// <summary>
/// Decides whether a server is the one that the kubeconfig means, and remembers why not. KubernetesClient's own callback forgets the reason,
/// and where the CA is a private one it does not look at the server's name.
/// </summary>
internal sealed class ServerTrust(Uri server, X509Certificate2Collection? authorities, bool skip)
{
    /// <summary>Why the last handshake was refused; null where none was.</summary>
    internal ConnectionFault? Refusal { get; private set; }

    internal bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        Refusal = skip ? null : Judge(certificate as X509Certificate2, chain, errors);
        return Refusal is null;
    }

    private ConnectionFault? Judge(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null) return new("MT3015", $"{server} shows no certificate", "See that 'server' is an API server.", false);
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return new("MT3013", $"The certificate of {server} is for other names: {Names(certificate)}", "Use one of these names as 'server', or set 'tls-server-name' in the kubeconfig.", false);
        if (authorities is null or { Count: 0 })
            return errors == SslPolicyErrors.None ? null : Untrusted(certificate, "no CA of this machine");
        using var own = new X509Chain();
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        // The CA in a kubeconfig may be an intermediate: any of them that stands in a sound chain will do, as in Go.
        own.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
        own.ChainPolicy.ExtraStore.AddRange(authorities);
        if (chain is not null) foreach (var element in chain.ChainElements) own.ChainPolicy.ExtraStore.Add(element.Certificate);
        if (!own.Build(certificate))
        {
            if (own.ChainStatus.Any(s => s.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)))
                return new("MT3014", $"The certificate of {server} is not valid now ({certificate.NotBefore.ToUniversalTime():u} to {certificate.NotAfter.ToUniversalTime():u})", "Set this machine's clock; if it is right, renew the server's certificate.", false);
            return Untrusted(certificate, "a sound chain");
        }
        return own.ChainElements.Any(e => authorities.Any(a => a.RawDataMemory.Span.SequenceEqual(e.Certificate.RawDataMemory.Span))) ? null : Untrusted(certificate, "the CA of the kubeconfig");
    }

    private ConnectionFault Untrusted(X509Certificate2 certificate, string missing) => new(
        "MT3005",
        $"The certificate of {server} (issued by '{certificate.Issuer}') does not come from {missing}",
        "Get the cluster's kubeconfig again: it may have been made anew at the same address, or something in between answers for it.",
        false);

    private static string Names(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString()))).Take(8).ToList();
        return names.Count == 0 ? certificate.Subject : string.Join(", ", names);
    }
}
