using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>The result of a handshake.</summary>
/// <param name="AgainstClient">Why the server rejected the client; null if it did not.</param>
/// <param name="AgainstServer">Why the client rejected the server; null if it did not.</param>
/// <param name="Fault">Why it failed although neither side rejected the other; null if it did not.</param>
/// <param name="TlsVersion">The negotiated version; null if it failed.</param>
internal sealed record HandshakeOutcome(string? AgainstClient, string? AgainstServer, string? Fault, string? TlsVersion);

/// <summary>
/// A real mutual TLS handshake between two probe identities: each presents its leaf and chain and trusts only its own roots.
/// </summary>
internal static class MutualTls
{
    /// <summary>Everything is in memory and takes well under a second; this only prevents hanging.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>Performs the handshake, sends one byte in each direction, and returns why either side rejected the other.</summary>
    public static async Task<HandshakeOutcome> ShakeAsync(ProbeIdentity client, ProbeIdentity server, DateTimeOffset at)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var (clientEnd, serverEnd) = DuplexStream.Pair();
        string? againstClient = null, againstServer = null;
        await using var clientTls = new SslStream(clientEnd, leaveInnerStreamOpen: false);
        await using var serverTls = new SslStream(serverEnd, leaveInnerStreamOpen: false);
        var asServer = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = server.TlsContext,
            ClientCertificateRequired = true,
            CertificateChainPolicy = Policy(server, at),
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                (againstClient = Judge(client, server, certificate, chain)) is null,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowTlsResume = false,
        };
        var asClient = new SslClientAuthenticationOptions
        {
            TargetHost = "meshtrust.invalid",
            ClientCertificateContext = client.TlsContext,
            CertificateChainPolicy = Policy(client, at),
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                (againstServer = Judge(server, client, certificate, chain)) is null,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowTlsResume = false,
        };
        var faults = await Task.WhenAll(
            RunAsync(ct => clientTls.AuthenticateAsClientAsync(asClient, ct), clientTls, clientEnd, deadline.Token),
            RunAsync(ct => serverTls.AuthenticateAsServerAsync(asServer, ct), serverTls, serverEnd, deadline.Token)).ConfigureAwait(false);
        var ended = faults.FirstOrDefault(f => f is not null);
        var version = ended is null ? Name(clientTls.SslProtocol) : null;
        return new HandshakeOutcome(againstClient, againstServer, againstClient is null && againstServer is null ? ended : null, version);
    }

    private static X509ChainPolicy Policy(ProbeIdentity verifier, DateTimeOffset at) => PlatformPath.Policy(verifier.PlatformRoots, [], at);

    private static string? Judge(ProbeIdentity expected, ProbeIdentity verifier, X509Certificate? certificate, X509Chain? chain)
    {
        if (certificate is null) return "it presented no certificate";
        if (chain is null) return "no chain could be built";
        // A SPIFFE id is not a host name: the URI is checked here instead.
        if (PlatformPath.Fault(chain, verifier.PlatformRoots) is { } fault) return fault;
        if (!CertificateDocument.TryFromDer(certificate.GetRawCertData(), out var leaf, out _)) return "its certificate cannot be read";
        return leaf.Uris is [var id] && id == expected.SpiffeId ? null : $"its SPIFFE id is not {expected.SpiffeId}";
    }

    private static async Task<string?> RunAsync(
        Func<CancellationToken, Task> authenticate, SslStream tls, Stream end, CancellationToken cancellationToken)
    {
        try
        {
            await authenticate(cancellationToken).ConfigureAwait(false);
            // In TLS 1.3 the client finishes before the server has verified it: only a byte from the other side proves both.
            var one = new byte[1];
            await tls.WriteAsync(one, cancellationToken).ConfigureAwait(false);
            await tls.ReadExactlyAsync(one, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException)
        {
            return $"the handshake timed out after {Deadline.TotalSeconds} seconds";
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            await end.DisposeAsync().ConfigureAwait(false);
            var inner = fault.InnerException is { } cause ? $" ({cause.Message.TrimEnd('.')})" : "";
            return $"the handshake failed with {fault.GetType().Name}{inner}";
        }
    }

    private static string Name(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls13 => "TLS 1.3",
        SslProtocols.Tls12 => "TLS 1.2",
        _ => protocol.ToString(),
    };
}

/// <summary>One end of an in-process connection: reads from one pipe without blocking a thread and writes to another.</summary>
internal sealed class DuplexStream(PipeReader input, PipeWriter output) : Stream
{
    private readonly Stream _input = input.AsStream();
    private readonly Stream _output = output.AsStream();

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static (Stream Client, Stream Server) Pair()
    {
        // A pipe without back pressure: the other end may have closed without reading.
        var options = new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false);
        var (up, down) = (new Pipe(options), new Pipe(options));
        return (new DuplexStream(down.Reader, up.Writer), new DuplexStream(up.Reader, down.Writer));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _input.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _output.WriteAsync(buffer, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    // SslStream sends its alerts this way; it never blocks because the pipe has no back pressure.
    public override void Write(byte[] buffer, int offset, int count) => _output.Write(buffer, offset, count);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        output.Complete();
        base.Dispose(disposing);
    }
}
