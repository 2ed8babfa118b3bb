using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>How a handshake ended.</summary>
/// <param name="AgainstClient">What the server held against the client; null for nothing.</param>
/// <param name="AgainstServer">What the client held against the server; null for nothing.</param>
/// <param name="Fault">Why it failed though neither held anything against the other; null where it did not.</param>
/// <param name="TlsVersion">The version that was agreed on; null where it failed.</param>
internal sealed record HandshakeOutcome(string? AgainstClient, string? AgainstServer, string? Fault, string? TlsVersion);

/// <summary>
/// A real mutual-TLS handshake between two probe identities: each shows its leaf and chain, each trusts its own roots only.
/// </summary>
internal static class MutualTls
{
    /// <summary>It is all in memory: a second is long, this is a deadline against hanging.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>Shakes hands, sends one byte each way, and says what either side held against the other.</summary>
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
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                (againstClient = Judge(client, certificate, chain, errors)) is null,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowTlsResume = false,
        };
        var asClient = new SslClientAuthenticationOptions
        {
            TargetHost = "meshtrust.invalid",
            ClientCertificateContext = client.TlsContext,
            CertificateChainPolicy = Policy(client, at),
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                (againstServer = Judge(server, certificate, chain, errors)) is null,
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

    private static string? Judge(ProbeIdentity expected, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null) return "it showed no certificate";
        // A SPIFFE id is no host name: the name check is done here, on the URI.
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            return chain is null ? "no chain could be built" : PlatformPath.Explain(chain);
        if (!CertificateDocument.TryFromDer(certificate.GetRawCertData(), out var leaf, out _)) return "its certificate cannot be read";
        return leaf.Uris is [var id] && id == expected.SpiffeId ? null : $"its SPIFFE id is not {expected.SpiffeId}";
    }

    private static async Task<string?> RunAsync(
        Func<CancellationToken, Task> authenticate, SslStream tls, Stream end, CancellationToken cancellationToken)
    {
        try
        {
            await authenticate(cancellationToken).ConfigureAwait(false);
            // In TLS 1.3 the client is done before the server has judged it: only a byte from the other side proves both.
            var one = new byte[1];
            await tls.WriteAsync(one, cancellationToken).ConfigureAwait(false);
            await tls.ReadExactlyAsync(one, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException)
        {
            return $"the handshake did not end within {Deadline.TotalSeconds} seconds";
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            await end.DisposeAsync().ConfigureAwait(false);
            var inner = fault.InnerException is { } cause ? $" ({cause.Message.TrimEnd('.')})" : "";
            return $"the handshake ended in {fault.GetType().Name}{inner}";
        }
    }

    private static string Name(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls13 => "TLS 1.3",
        SslProtocols.Tls12 => "TLS 1.2",
        _ => protocol.ToString(),
    };
}

/// <summary>
/// One end of a connection that never leaves the process: reads from one pipe, without blocking a thread, and writes to another.
/// </summary>
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
        // A pipe that never makes its writer wait: the other end may have hung up without reading.
        var options = new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false);
        var (up, down) = (new Pipe(options), new Pipe(options));
        return (new DuplexStream(down.Reader, up.Writer), new DuplexStream(up.Reader, down.Writer));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _input.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _output.WriteAsync(buffer, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    // SslStream sends its alerts this way; it never waits, since the pipe never makes a writer wait.
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
