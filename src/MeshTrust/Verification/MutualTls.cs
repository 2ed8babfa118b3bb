using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace MeshTrust.Verification;

/// <summary>A real mutual-TLS handshake between two probe identities: each shows its leaf and chain, each trusts its own roots only.</summary>
internal static class MutualTls
{
    /// <summary>It is all in memory: a second is long, this is a deadline against hanging.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>Shakes hands, sends one byte each way, and says what either side held against the other.</summary>
    public static async Task<HandshakeOutcome> ShakeAsync(ProbeIdentity client, ProbeIdentity server, DateTimeOffset at)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var (clientEnd, serverEnd) = InMemoryStream.Pair();
        string? againstClient = null, againstServer = null;
        await using var clientTls = new SslStream(clientEnd, leaveInnerStreamOpen: false);
        await using var serverTls = new SslStream(serverEnd, leaveInnerStreamOpen: false);
        var asServer = RunAsync(
            async ct =>
            {
                await serverTls.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = server.TlsContext,
                        ClientCertificateRequired = true,
                        CertificateChainPolicy = Policy(server, at),
                        RemoteCertificateValidationCallback = (_, certificate, chain, errors) => (againstClient = Judge(client, certificate, chain, errors)) is null,
                        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                        AllowTlsResume = false,
                    },
                    ct).ConfigureAwait(false);
                await EchoAsync(serverTls, ct).ConfigureAwait(false);
            },
            serverEnd,
            deadline.Token);
        var asClient = RunAsync(
            async ct =>
            {
                await clientTls.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        TargetHost = "meshtrust.invalid",
                        ClientCertificateContext = client.TlsContext,
                        CertificateChainPolicy = Policy(client, at),
                        RemoteCertificateValidationCallback = (_, certificate, chain, errors) => (againstServer = Judge(server, certificate, chain, errors)) is null,
                        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                        AllowTlsResume = false,
                    },
                    ct).ConfigureAwait(false);
                await EchoAsync(clientTls, ct).ConfigureAwait(false);
            },
            clientEnd,
            deadline.Token);
        var faults = await Task.WhenAll(asClient, asServer).ConfigureAwait(false);
        var ended = faults.FirstOrDefault(f => f is not null);
        var version = ended is null ? Name(clientTls.SslProtocol) : null;
        return new HandshakeOutcome(againstClient, againstServer, againstClient is null && againstServer is null ? ended : null, version);
    }

    private static X509ChainPolicy Policy(ProbeIdentity verifier, DateTimeOffset at) => PlatformPath.Policy(verifier.PlatformRoots, [], at);

    private static string? Judge(ProbeIdentity expected, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null) return "it showed no certificate";
        // A SPIFFE id is no host name: the name check is done here, on the URI.
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors)) return chain is null ? "no chain could be built" : PlatformPath.Explain(chain);
        if (!Pki.CertificateDocument.TryFromDer(certificate.GetRawCertData(), out var leaf)) return "its certificate cannot be read";
        return leaf.Uris is [var id] && id == expected.SpiffeId ? null : $"its SPIFFE id is not {expected.SpiffeId}";
    }

    private static async Task EchoAsync(SslStream stream, CancellationToken cancellationToken)
    {
        // In TLS 1.3 the client is done before the server has judged it: only a byte from the other side proves both.
        var one = new byte[1];
        await stream.WriteAsync(one, cancellationToken).ConfigureAwait(false);
        await stream.ReadExactlyAsync(one, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<string?> RunAsync(Func<CancellationToken, Task> side, Stream end, CancellationToken cancellationToken)
    {
        try
        {
            await side(cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException and not OperationCanceledException)
        {
            await end.DisposeAsync().ConfigureAwait(false);
            return $"the handshake ended in {fault.GetType().Name}{(fault.InnerException is { } inner ? $" ({inner.Message.TrimEnd('.')})" : "")}";
        }
        catch (OperationCanceledException)
        {
            return $"the handshake did not end within {Deadline.TotalSeconds} seconds";
        }
    }

    private static string Name(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls13 => "TLS 1.3",
        SslProtocols.Tls12 => "TLS 1.2",
        _ => protocol.ToString(),
    };
}
