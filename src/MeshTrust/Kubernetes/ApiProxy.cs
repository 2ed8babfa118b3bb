using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using MeshTrust.Kubeconfig;

namespace MeshTrust.Kubernetes;

/// <summary>
/// The proxy to an API server, chosen as client-go and Go's net/http choose it: <c>proxy-url</c> for every address, else
/// <c>HTTPS_PROXY</c> or <c>HTTP_PROXY</c> with Go's rules for <c>NO_PROXY</c>. .NET has other rules. Its ToString hides the password.
/// </summary>
internal sealed record ApiProxy(Uri Address, string Setting, bool IsForTls = false)
{
    private const int LongestAnswer = 16 * 1024;

    /// <summary>Whether <see cref="TunnelAsync"/> is used; .NET speaks to the others.</summary>
    internal bool Tunnels => IsForTls && Address.Scheme is "http" or "https";

    /// <summary>
    /// A tunnel to a server. As in Go, the password is sent at once; .NET waits for a challenge, which not every proxy sends.
    /// </summary>
    /// <exception cref="HttpRequestException">The proxy refused; with its status.</exception>
    internal async ValueTask<Stream> TunnelAsync(Uri server, ServerTrust trust, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new DnsEndPoint(Address.DnsSafeHost, Address.Port), cancellationToken).ConfigureAwait(false);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (Address.Scheme == "https")
            {
                // As in Go, the kubeconfig's CA signs the proxy's certificate too.
                var tls = new SslStream(stream, leaveInnerStreamOpen: false, trust.Accept);
                var options = new SslClientAuthenticationOptions { TargetHost = Address.DnsSafeHost };
                await tls.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
                stream = tls;
            }

            var (user, password) = Credentials;
            var authority = $"{server.Host}:{server.Port}";
            var login = user is null ? "" : $"Proxy-Authorization: {ApiCredentials.Basic(user, password)}\r\n";
            var request = $"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: meshtrust\r\n{login}\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancellationToken).ConfigureAwait(false);
            var answer = new StringBuilder();
            var one = new byte[1];
            while (answer.Length < LongestAnswer && !(answer.Length > 3 && answer.ToString(answer.Length - 4, 4) == "\r\n\r\n")
                && await stream.ReadAsync(one, cancellationToken).ConfigureAwait(false) > 0) answer.Append((char)one[0]);
            var status = answer.ToString().Split(' ') is [_, var code, ..] && int.TryParse(code, out var number) ? number : (int?)null;
            return status == 200 ? stream
                : throw new HttpRequestException(HttpRequestError.ProxyTunnelError, statusCode: (HttpStatusCode?)status);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private (string? User, string? Password) Credentials =>
        Address.UserInfo.Split(':', 2).Select(Uri.UnescapeDataString).ToArray() is [{ Length: > 0 } user, .. var rest]
            ? (user, rest.FirstOrDefault() ?? "") : (null, null);

    internal IWebProxy ToWebProxy()
    {
        // With .NET's socks5 the proxy resolves names, as with Go's socks5 and socks5h.
        var scheme = Address.Scheme == "socks5h" ? "socks5" : Address.Scheme;
        var (user, password) = Credentials;
        return new WebProxy(new UriBuilder(scheme, Address.Host, Address.IsDefaultPort && scheme == "socks5" ? 1080 : Address.Port).Uri)
        {
            Credentials = user is null ? null : new NetworkCredential(user, password),
        };
    }

    internal static ApiProxy? For(ResolvedContext context, Func<string, string?> variable)
    {
        if (context.Cluster.Text("proxy-url") is { } url) return new(new Uri(url), "proxy-url", context.IsEncrypted);
        var (name, other) = context.IsEncrypted ? ("HTTPS_PROXY", "https_proxy") : ("HTTP_PROXY", "http_proxy");
        var (setting, value) = First(variable, name, other);
        if (Parse(value) is not { } address || IsExempt(context.Server, First(variable, "NO_PROXY", "no_proxy").Value)) return null;
        return new(address, setting, context.IsEncrypted);
    }

    /// <summary>Whether a server is reached without the proxy of the environment (golang.org/x/net/http/httpproxy). Pure.</summary>
    internal static bool IsExempt(Uri server, string noProxy)
    {
        var host = server.DnsSafeHost.ToLowerInvariant();
        var port = server.Port.ToString(CultureInfo.InvariantCulture);
        var address = ToAddress(host);
        if (host == "localhost" || address is not null && IPAddress.IsLoopback(address)) return true;
        return noProxy.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Any(rule => Matches(rule.ToLowerInvariant(), host, port, address));
    }

    private static bool Matches(string rule, string host, string port, IPAddress? address)
    {
        if (rule == "*") return true;
        if (rule.Contains('/') && IPNetwork.TryParse(Masked(rule), out var network))
            return address is not null && network.Contains(address);
        var (name, rulePort) = Split(rule);
        if (name.Length == 0 || rulePort.Length > 0 && rulePort != port) return false;
        if (ToAddress(name) is { } one) return one.Equals(address);
        if (name.StartsWith("*.", StringComparison.Ordinal)) name = name[1..];
        return name[0] == '.' ? host.EndsWith(name, StringComparison.Ordinal)
            : host == name || host.EndsWith('.' + name, StringComparison.Ordinal);
    }

    /// <summary>As Go: 3 and 1.2 are not addresses.</summary>
    private static IPAddress? ToAddress(string text) =>
        (text.Contains(':') || text.Count(c => c == '.') == 3) && IPAddress.TryParse(text, out var address) ? address : null;

    /// <summary>10.1.2.3/8 as 10.0.0.0/8: .NET rejects the first.</summary>
    private static string Masked(string rule)
    {
        if (rule.Split('/') is not [var text, var length] || !IPAddress.TryParse(text, out var address)
            || !int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bits)) return rule;
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp(bits - i * 8, 0, 8);
            bytes[i] &= (byte)(0xff << (8 - kept));
        }

        return $"{new IPAddress(bytes)}/{length}";
    }

    /// <summary>Host and port of a rule; an IPv6 address has a port only behind brackets.</summary>
    private static (string Host, string Port) Split(string rule)
    {
        var colon = rule.LastIndexOf(':');
        var hasPort = colon >= 0 && (rule.IndexOf(':') == colon || rule[..colon].EndsWith(']'));
        return hasPort ? (rule[..colon].Trim('[', ']'), rule[(colon + 1)..]) : (rule, "");
    }

    /// <summary>As Go, which takes host:port for http.</summary>
    private static Uri? Parse(string value) =>
        value.Length == 0 ? null
        : Uri.TryCreate(value.Contains("://", StringComparison.Ordinal) ? value : "http://" + value, UriKind.Absolute, out var address)
            && address is { Scheme: "http" or "https" or "socks5" or "socks5h", Host.Length: > 0 } ? address : null;

    private static (string Name, string Value) First(Func<string, string?> variable, params string[] names)
    {
        var name = names.FirstOrDefault(n => !string.IsNullOrEmpty(variable(n))) ?? names[0];
        return (name, variable(name) ?? "");
    }

    public override string ToString() => $"{Address.Scheme}://{Address.Host}:{Address.Port} (from {Setting})";
}
