using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MeshTrust.Tests.Kubeconfig;

/// <summary>A small proxy on one port: HTTP CONNECT with a password, and SOCKS5 without one.</summary>
internal sealed class ScriptedProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _authorization;
    private readonly Task _accepting;

    internal ScriptedProxy(string authorization)
    {
        _authorization = authorization;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    internal string Address => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The end of the test.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        using var server = new TcpClient();
        try
        {
            var stream = client.GetStream();
            var first = await ReadAsync(stream, 1);
            if (first[0] == 5) await SocksAsync(stream, server);
            else if (!await ConnectAsync(stream, server)) return;
            await Task.WhenAny(stream.CopyToAsync(server.GetStream()), server.GetStream().CopyToAsync(stream));
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // One side closed the connection.
        }
    }

    private async Task<bool> ConnectAsync(NetworkStream stream, TcpClient server)
    {
        var head = new StringBuilder("C");
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal)) head.Append((char)(await ReadAsync(stream, 1))[0]);
        if (head.ToString().Contains($"\r\nProxy-Authorization: {_authorization}\r\n", StringComparison.OrdinalIgnoreCase))
        {
            var port = int.Parse(head.ToString().Split(' ')[1].Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture);
            await server.ConnectAsync(IPAddress.Loopback, port);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray());
            return true;
        }

        // Without a challenge, like some proxies: client-go sends the password at once.
        await stream.WriteAsync("HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        return false;
    }

    private static async Task SocksAsync(NetworkStream stream, TcpClient server)
    {
        await ReadAsync(stream, (await ReadAsync(stream, 1))[0]);
        await stream.WriteAsync(new byte[] { 5, 0 });
        var kind = (await ReadAsync(stream, 4))[3];
        await ReadAsync(stream, kind == 1 ? 4 : kind == 4 ? 16 : (await ReadAsync(stream, 1))[0]);
        var port = await ReadAsync(stream, 2);
        await server.ConnectAsync(IPAddress.Loopback, port[0] << 8 | port[1]);
        await stream.WriteAsync(new byte[] { 5, 0, 0, 1, 0, 0, 0, 0, 0, 0 });
    }

    private static async Task<byte[]> ReadAsync(NetworkStream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }
}
