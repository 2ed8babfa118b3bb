using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>
/// The connection to one API server. MeshTrust sends its few requests itself: generated clients put the request's body, here a key, into
/// their exceptions, and have rules of their own for credentials and proxies.
/// </summary>
internal sealed class ApiTransport(ClusterName cluster, ResolvedContext context, ClusterApiSettings settings, bool isUsers) : IDisposable
{
    private const string LegalInHeaderName = "!#$&'*+-.^_`|~";

    private readonly Lock _lock = new();
    private readonly List<Task<Connection>> _connections = [];
    private readonly SemaphoreSlim _turn = new(1);
    private volatile bool _wasThrottled;

    internal ClusterName Cluster => cluster;
    internal Uri Server { get; } = new(context.Server.AbsoluteUri.TrimEnd('/') + "/");
    internal string Endpoint => context.Endpoint;

    /// <summary>When the context's client certificate expires, if it has one: the usual reason for a 401.</summary>
    internal DateTimeOffset? ClientCertificateEnd => ApiCredentials.ClientCertificateEnd(context.User);

    /// <summary>Reads the kubeconfig; nothing is sent before the first request.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the kubeconfig cannot be used.</exception>
    internal static ApiTransport Open(ClusterAccess access, ClusterApiSettings settings) =>
        new(access.Name, ContextOf(access), settings, isUsers: access.Origin is not null);

    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the kubeconfig cannot be used.</exception>
    internal static ResolvedContext ContextOf(ClusterAccess access) => access.Origin
        ?? KubeconfigDocument.Load(access.KubeconfigPath).Resolve(access.ContextName).WithFilesInside(KubeconfigReader.ReadNamedFile);

    /// <summary>
    /// Waits until a request may be sent: at once, or one at a time after the server throttled (429), because parallel requests would only
    /// use up what it allows. Disposing the result lets the next one through.
    /// </summary>
    internal async Task<IDisposable?> TurnAsync(CancellationToken cancellationToken)
    {
        if (!_wasThrottled) return null;
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Turn(_turn);
    }

    /// <summary>The problem; if the context is the user's, with the names of it, its user and its file.</summary>
    internal Problem Named(Problem problem) => isUsers ? context.Named(problem) : problem;

    /// <summary>The latest connection; a new one if there is none, or if its credentials expired or were the rejected ones.</summary>
    internal Task<Connection> Connection(Connection? rejected, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var isUsable = _connections is [.., var latest] && (!latest.IsCompleted || latest.IsCompletedSuccessfully
                && latest.Result != rejected && !(latest.Result.Credential.Expires <= settings.Time.GetUtcNow()));
            if (!isUsable) _connections.Add(ConnectAsync(rejected?.Credential, cancellationToken));
            return _connections[^1];
        }
    }

    /// <summary>Whether the server rejected credentials that can be renewed.</summary>
    internal bool MayRenew(ApiAttempt attempt) => attempt.Response?.StatusCode == 401 && context.HasRenewableCredentials;

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var connection in _connections.Where(c => c.IsCompletedSuccessfully)) connection.Result.Client.Dispose();
            _connections.Clear();
        }
    }

    /// <summary>One attempt.</summary>
    internal async Task<ApiAttempt> SendAsync(ApiRequest request, Connection connection, CancellationToken cancellationToken)
    {
        try
        {
            using var message = MessageFor(request, connection.Credential);
            using var response = await connection.Client.SendAsync(message, cancellationToken).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            _wasThrottled |= response.StatusCode == HttpStatusCode.TooManyRequests;
            return new ApiAttempt(new ApiResponse((int)response.StatusCode, body, response.Headers.RetryAfter?.Delta), null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or AuthenticationException)
        {
            return new ApiAttempt(null, ConnectionFault.From(e, Server, connection.Trust, connection.Proxy));
        }
    }

    /// <summary>A connection to a port of a pod.</summary>
    /// <exception cref="MeshTrustException">The API server refused it, or could not be reached.</exception>
    internal async Task<Stream> ForwardAsync(string namespaceName, string pod, int port, Stage stage, CancellationToken cancellationToken)
    {
        // The filter that repeats headers reads every byte of a connection as text.
        if (context.RepeatsHeaders) throw Refused("MeshTrust cannot forward ports with several impersonated groups");
        var connection = await Connection(null, cancellationToken).ConfigureAwait(false);
        var path = $"api/v1/namespaces/{Uri.EscapeDataString(namespaceName)}/pods/{Uri.EscapeDataString(pod)}/portforward?ports={port}";
        var address = new UriBuilder(new Uri(Dialled, path)) { Scheme = context.IsEncrypted ? "wss" : "ws" }.Uri;
        try
        {
            var (forwarded, refusal) = await ForwardedPort
                .OpenAsync(address, connection.Client, Host, Headers(connection.Credential), cancellationToken).ConfigureAwait(false);
            return forwarded ?? throw (refusal == HttpStatusCode.Forbidden
                ? Refused("the user of this context may not forward ports (403)") : Refused($"the server refused it ({(int)refusal})"));
        }
        catch (WebSocketException fault)
        {
            var cause = ConnectionFault.From(fault, Server, connection.Trust, connection.Proxy);
            throw new MeshTrustException(stage, Named(new Problem(cause.Code, cluster.Value, $"{cause.What}.", cause.Hint)));
        }

        MeshTrustException Refused(string why) => new(stage, Named(new Problem(ProblemCodes.Forbidden, cluster.Value,
            $"Port {port} of pod {namespaceName}/{pod} cannot be forwarded: {why}.",
            $"Grant get and create on pods/portforward in the namespace '{namespaceName}'.")));
    }

    // 0.0.0.0 means this machine, to Go; .NET cannot connect to it.
    private bool IsUnspecified => Server.DnsSafeHost is "0.0.0.0" or "::";

    /// <summary>.NET takes the TLS server name only from this header, through proxies too: it overwrites SslOptions.TargetHost.</summary>
    private string? Host => context.Cluster.Text("tls-server-name") ?? (IsUnspecified ? Server.Authority : null);

    private Uri Dialled =>
        IsUnspecified ? new UriBuilder(Server) { Host = Server.DnsSafeHost == "::" ? "[::1]" : "127.0.0.1" }.Uri : Server;

    private HttpRequestMessage MessageFor(ApiRequest request, ApiCredential credential)
    {
        var message = new HttpRequestMessage(request.Method, new Uri(Dialled, request.Path.TrimStart('/')))
        {
            // One connection carries all requests, as in client-go, even those that are sent concurrently.
            Version = context.RepeatsHeaders ? HttpVersion.Version11 : HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        message.Headers.Host = Host;
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        foreach (var (name, value) in Headers(credential)) message.Headers.TryAddWithoutValidation(name, value);
        if (!request.Body.IsEmpty)
        {
            message.Content = new ReadOnlyMemoryContent(request.Body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue(request.ContentType);
        }

        return message;
    }

    private IEnumerable<KeyValuePair<string, string>> Headers(ApiCredential credential)
    {
        yield return new("User-Agent", "meshtrust");
        if (credential.Authorization is { } authorization) yield return new("Authorization", authorization);
        var user = context.User;
        if (user.Text("as") is not { } name) yield break;
        yield return new("Impersonate-User", name);
        if (user.Text("as-uid") is { } uid) yield return new("Impersonate-Uid", uid);
        if (user.Texts("as-groups") is { Count: > 0 } groups) yield return Repeated("Impersonate-Group", groups);
        if (user.Map("as-user-extra") is not { } extra) yield break;
        foreach (var key in extra.Body.Children.Keys.Select(k => k.Text()))
        {
            var header = "Impersonate-Extra-" + string.Concat(Encoding.UTF8.GetBytes(key).Select(Escape));
            if (extra.Texts(key) is { Count: > 0 } values) yield return Repeated(header, values);
        }

        static KeyValuePair<string, string> Repeated(string name, IReadOnlyList<string> values) =>
            new(name, RepeatedHeaders.Join(name, values));

        static string Escape(byte b) =>
            char.IsAsciiLetterOrDigit((char)b) || LegalInHeaderName.Contains((char)b) ? $"{(char)b}" : $"%{b:X2}";
    }

    private async Task<Connection> ConnectAsync(ApiCredential? rejected, CancellationToken cancellationToken)
    {
        var credential = await ApiCredentials.ReadAsync(context, rejected, settings, cancellationToken).ConfigureAwait(false);
        var authorities = new X509Certificate2Collection();
        if (context.Authority is { } pem) authorities.ImportFromPem(pem);
        var trust = new ServerTrust(Server, authorities, context.SkipsTlsVerification);
        var proxy = ApiProxy.For(context, Environment.GetEnvironmentVariable);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = settings.AttemptTimeout,
            UseCookies = false,
            UseProxy = proxy is { Tunnels: false },
            Proxy = proxy?.ToWebProxy(),
            ConnectCallback = proxy is { Tunnels: true } ? (_, ct) => proxy.TunnelAsync(Server, trust, ct) : null,
            RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,
            PlaintextStreamFilter = context.RepeatsHeaders ? (c, _) => new(new RepeatedHeaders(c.PlaintextStream)) : null,
            SslOptions = new() { RemoteCertificateValidationCallback = trust.Accept, ClientCertificateContext = credential.Certificate },
        };
        return new Connection(new HttpMessageInvoker(handler), credential, trust, proxy);
    }

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        public void Dispose() => turns.Release();
    }
}

/// <summary>A client with the credential that it sends, for as long as that is valid.</summary>
internal sealed record Connection(HttpMessageInvoker Client, ApiCredential Credential, ServerTrust Trust, ApiProxy? Proxy);
