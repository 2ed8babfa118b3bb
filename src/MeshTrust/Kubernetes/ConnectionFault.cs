using System.Net.Sockets;
using System.Security.Authentication;

namespace MeshTrust.Kubernetes;

/// <summary>Why no answer came, from the exceptions of .NET. Pure but for what <see cref="ServerTrust"/> has seen.</summary>
internal sealed record ConnectionFault(string Id, string Message, string Hint, bool IsTransient)
{
    internal Problem ToProblem(string cluster, ApiRequest request) => new(Id, cluster, $"{Message} (while {request.Doing}).", Hint);

    internal static ConnectionFault From(Exception exception, Uri server, ServerTrust trust)
    {
        var socket = Chain(exception).OfType<SocketException>().FirstOrDefault();
        var error = Chain(exception).OfType<HttpRequestException>().FirstOrDefault()?.HttpRequestError;
        if (trust.Refusal is { } refusal && Chain(exception).OfType<AuthenticationException>().Any()) return refusal;
        if (error == HttpRequestError.ProxyTunnelError)
            return new("MT3008", $"The proxy in HTTPS_PROXY or proxy-url does not lead to {server}", "Add the server's host to NO_PROXY, or correct the proxy.", false);
        if (error == HttpRequestError.NameResolutionError || socket?.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain)
            return new("MT3001", $"The name '{server.Host}' cannot be resolved", "Correct 'server' of this context, or connect to the network (VPN) that knows the name.", socket?.SocketErrorCode == SocketError.TryAgain);
        if (socket?.SocketErrorCode == SocketError.ConnectionRefused)
            return new("MT3002", $"Nothing listens at {server.Host}:{server.Port}: the connection is refused", "Start the cluster; if it was restarted its port may have changed: get its kubeconfig again.", true);
        if (socket?.SocketErrorCode is SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.TimedOut)
            return new("MT3002", $"No way leads to {server.Host}:{server.Port} ({socket.SocketErrorCode})", "Connect to the network (VPN) that the cluster is in; see that the address is right.", true);
        if (Chain(exception).OfType<AuthenticationException>().Any())
            return new("MT3015", $"The TLS handshake with {server} fails", "See that 'server' speaks TLS on this port and that no device in between changes the connection.", false);
        if (error is HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError || IsPlainText(exception))
            return new("MT3011", $"What answers at {server} is no Kubernetes API server", "Correct 'server' of this context.", false);
        return new("MT3003", $"The connection to {server} breaks off", "See whether the API server or a load balancer before it restarts, then run again.", true);
    }

    internal static ConnectionFault NoAnswer(Uri server, TimeSpan waited) =>
        new("MT3004", $"{server} gave no answer within {waited.TotalSeconds:0.#} s", "See whether the server is overloaded or a firewall drops packets, then run again.", true);

    private static bool IsPlainText(Exception exception) =>
        Chain(exception).OfType<IOException>().Any(e => e.Message.Contains("Cannot determine the frame size", StringComparison.Ordinal));

    private static IEnumerable<Exception> Chain(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException!) yield return e;
    }
}
