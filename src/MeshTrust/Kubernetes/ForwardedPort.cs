using System.Net;
using System.Net.WebSockets;
using System.Text;

namespace MeshTrust.Kubernetes;

/// <summary>
/// A connection to a port of a pod, through the API server (kubelet's portforward/websocket.go). Each message begins with the number of its
/// channel: 0 for data, 1 for errors; the first message of a channel is the port's number. KubernetesClient's stream cannot read and write
/// at the same time, which HTTP/2 does.
/// </summary>
internal sealed class ForwardedPort(ClientWebSocket socket) : Stream
{
    private const string Protocol = "v4.channel.k8s.io";
    private readonly byte[] _received = new byte[32 * 1024];
    private readonly bool[] _isOpen = new bool[2];
    private ReadOnlyMemory<byte> _rest;
    private bool _isStart = true;
    private int _channel;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Gives an HTTP client this connection. It connects again if the pod closes the connection, but there is only one.</summary>
    internal static Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> Once(Stream connection)
    {
        Stream? unused = connection;
        return (_, _) => Interlocked.Exchange(ref unused, null) is { } first
            ? ValueTask.FromResult(first) : ValueTask.FromException<Stream>(new IOException("The connection was closed."));
    }

    /// <summary>Opens it; the server's status if it refuses.</summary>
    internal static async Task<(ForwardedPort? Port, HttpStatusCode Refusal)> OpenAsync(
        Uri address, HttpMessageInvoker client, string? host, IEnumerable<KeyValuePair<string, string>> headers,
        CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(Protocol);
        socket.Options.CollectHttpResponseDetails = true;
        if (host is not null) socket.Options.SetRequestHeader("Host", host);
        foreach (var (name, value) in headers) socket.Options.SetRequestHeader(name, value);
        try
        {
            await socket.ConnectAsync(address, client, cancellationToken).ConfigureAwait(false);
            return (new ForwardedPort(socket), default);
        }
        catch (WebSocketException) when (socket.HttpStatusCode != default)
        {
            var refusal = socket.HttpStatusCode;
            socket.Dispose();
            return (null, refusal);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <exception cref="IOException">The pod did not accept the connection, or the connection was lost.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_rest.IsEmpty)
        {
            if (await ReceiveAsync(cancellationToken).ConfigureAwait(false) is not { } part) return 0;
            if (_channel != 0 && !part.IsEmpty) throw new IOException(Encoding.UTF8.GetString(part.Span));
            _rest = part;
        }

        var count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var message = new byte[buffer.Length + 1];
        buffer.CopyTo(message.AsMemory(1));
        try
        {
            await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        catch (WebSocketException fault)
        {
            throw new IOException("The forwarded connection was lost.", fault);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    // SslStream sends its alerts this way.
    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) socket.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The next part of a message of a channel, without what comes before the data; null at the end.</summary>
    private async Task<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            var result = await socket.ReceiveAsync(_received.AsMemory(), cancellationToken).ConfigureAwait(false);
            if (result.MessageType == WebSocketMessageType.Close) return null;
            var part = _received.AsMemory(0, result.Count);
            if (_isStart && part.Length > 0)
            {
                (_channel, part) = (Math.Min(part.Span[0], (byte)1), part[1..]);
                if (!_isOpen[_channel]) (part, _isOpen[_channel]) = (Memory<byte>.Empty, true);
            }

            _isStart = result.EndOfMessage;
            return part;
        }
        catch (WebSocketException fault)
        {
            throw new IOException("The forwarded connection was lost.", fault);
        }
    }
}
