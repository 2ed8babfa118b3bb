using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MeshTrust.Tests.Kubernetes;

/// <summary>A response of <see cref="ScriptedApiServer"/>; a null status drops the connection.</summary>
internal sealed record ScriptedAnswer(int? Status, string Body = "", string ContentType = "application/json", string? ExtraHeader = null)
{
    internal static ScriptedAnswer Drop { get; } = new((int?)null);

    /// <summary>A Status body as an API server writes it.</summary>
    internal static ScriptedAnswer Refuse(int code, string reason, string message, string details = "{}") =>
        new(code, $$"""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":{{System.Text.Json.JsonSerializer.Serialize(message)}},"reason":"{{reason}}","details":{{details}},"code":{{code}}}""");
}

/// <summary>A request to <see cref="ScriptedApiServer"/>.</summary>
internal sealed record ScriptedRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>A small server that returns what a test requires, for responses that no healthy API server gives.</summary>
internal sealed class ScriptedApiServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<ScriptedRequest, ScriptedAnswer> _answer;
    private readonly X509Certificate2? _certificate;
    private readonly Task _accepting;

    internal ScriptedApiServer(Func<ScriptedRequest, ScriptedAnswer> answer, X509Certificate2? certificate = null)
    {
        _answer = answer;
        _certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    internal List<ScriptedRequest> Requests { get; } = [];

    /// <summary>How many connections clients have opened.</summary>
    internal int Connections { get; private set; }

    /// <summary>The name that the last client sent in its handshake (SNI); empty for none.</summary>
    internal string? TlsName { get; private set; }

    internal string Server => $"{(_certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                Connections++;
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The end of the test: a stopped listener throws one of three exceptions.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            Stream stream = client.GetStream();
            if (_certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateSelectionCallback = Select });
                stream = tls;
            }
            while (await ReadAsync(stream) is { } request)
            {
                ScriptedAnswer answer;
                lock (Requests)
                {
                    Requests.Add(request);
                    answer = _answer(request);
                }
                if (answer.Status is null) return;
                var body = Encoding.UTF8.GetBytes(answer.Body);
                var head = $"HTTP/1.1 {answer.Status} X\r\nContent-Type: {answer.ContentType}\r\nContent-Length: {body.Length}\r\n{(answer.ExtraHeader is null ? "" : answer.ExtraHeader + "\r\n")}\r\n";
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _end.Token);
                await stream.WriteAsync(body, _end.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
        {
            // The client disconnected, as some tests require.
        }
    }

    /// <summary>The name is recorded here: a client that rejects the certificate may end the handshake before the server does.</summary>
    private X509Certificate Select(object sender, string? name)
    {
        TlsName = name;
        return _certificate!;
    }

    private async Task<ScriptedRequest?> ReadAsync(Stream stream)
    {
        var text = new List<byte>();
        var one = new byte[1];
        while (text.Count < 4 || !text.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, _end.Token) == 0) return null;
            text.Add(one[0]);
        }
        var lines = Encoding.ASCII.GetString([.. text]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).GroupBy(p => p[0], p => p[1], StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => string.Join('|', g), StringComparer.OrdinalIgnoreCase);
        var body = new byte[headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, System.Globalization.CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, _end.Token);
        var start = lines[0].Split(' ');
        return new ScriptedRequest(start[0], start[1], headers, Encoding.UTF8.GetString(body));
    }
}
