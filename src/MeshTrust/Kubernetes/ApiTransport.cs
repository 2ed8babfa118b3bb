using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
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
    internal static ApiTransport Open(ClusterAccess access, ClusterApiSettings settings)
    {
        var context = access.Origin
            ?? KubeconfigDocument.Load(access.KubeconfigPath).Resolve(access.ContextName).WithFilesInside(KubeconfigReader.ReadNamedFile);
        return new ApiTransport(access.Name, context, settings, isUsers: access.Origin is not null);
    }

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

    private HttpRequestMessage MessageFor(ApiRequest request, ApiCredential credential)
    {
        // 0.0.0.0 means this machine, to Go; .NET cannot connect to it.
        var isUnspecified = Server.DnsSafeHost is "0.0.0.0" or "::";
        var dialled = isUnspecified ? new UriBuilder(Server) { Host = Server.DnsSafeHost == "::" ? "[::1]" : "127.0.0.1" }.Uri : Server;
        var message = new HttpRequestMessage(request.Method, new Uri(dialled, request.Path.TrimStart('/')))
        {
            // One connection carries all requests, as in client-go, even those that are sent concurrently.
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        // .NET takes the TLS server name only from here, through proxies too: it overwrites SslOptions.TargetHost.
        message.Headers.Host = context.Cluster.Text("tls-server-name") ?? (isUnspecified ? Server.Authority : null);
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        message.Headers.UserAgent.Add(new ProductInfoHeaderValue("meshtrust", null));
        if (credential.Authorization is { } header) message.Headers.TryAddWithoutValidation("Authorization", header);
        Impersonate(message);
        if (!request.Body.IsEmpty)
        {
            message.Content = new ReadOnlyMemoryContent(request.Body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue(request.ContentType);
        }

        return message;
    }

    private void Impersonate(HttpRequestMessage message)
    {
        var user = context.User;
        if (user.Text("as") is not { } name) return;
        Add("User", name);
        if (user.Text("as-uid") is { } uid) Add("Uid", uid);
        Add("Group", user.Texts("as-groups"));
        if (user.Map("as-user-extra") is not { } extra) return;
        foreach (var key in extra.Body.Children.Keys.Select(k => k.Text()))
            Add("Extra-" + string.Concat(Encoding.UTF8.GetBytes(key).Select(Escape)), extra.Texts(key));

        void Add(string name, params IReadOnlyList<string> values)
        {
            if (values.Count == 0) return;
            if (values.Count > 1) message.Version = HttpVersion.Version11;
            message.Headers.TryAddWithoutValidation("Impersonate-" + name, RepeatedHeaders.Join("Impersonate-" + name, values));
        }

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

/// <summary>The requests of one call, under one deadline: transient errors are retried, permanent ones are reported at once.</summary>
internal sealed class RetryingApiClient : IDisposable
{
    private readonly ApiTransport _transport;
    private readonly ClusterApiSettings _settings;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _deadline;
    private long _start;

    internal RetryingApiClient(ApiTransport transport, ClusterApiSettings settings, CancellationToken cancellationToken)
    {
        _transport = transport;
        _settings = settings;
        _caller = cancellationToken;
        _start = settings.Time.GetTimestamp();
        _timer = new CancellationTokenSource(settings.Deadline, settings.Time);
        _deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _timer.Token);
    }

    private string Cluster => _transport.Cluster.Value;

    public void Dispose()
    {
        _deadline.Dispose();
        _timer.Dispose();
    }

    /// <summary>Retries until a response is final. The request must be safe to send twice.</summary>
    /// <exception cref="MeshTrustException">There was no response.</exception>
    internal async Task<ApiResponse> SendAsync(ApiRequest request)
    {
        Problem? last = null;
        var (mayHaveBeenApplied, wasLast) = (false, false);
        try
        {
            for (var tries = 1; ; tries++)
            {
                var (response, fault) = await TryAsync(request).ConfigureAwait(false);
                if (response is { IsTransient: false }) return response with { MayHaveBeenApplied = mayHaveBeenApplied };
                // A server that is known to have exited does not come back: retrying would only hide the reason.
                if (fault is not null && _settings.FaultOf(_transport.Cluster) is { } ended) throw Failed(ended);
                mayHaveBeenApplied |= response is null or { StatusCode: 500 or 502 or 504 };
                last = response is null ? _transport.Named(fault!.ToProblem(Cluster, request)) : Rejection(request, response);
                // Timeouts and what the server itself calls transient are retried until the deadline; anything else may be permanent.
                var transient = response is null ? fault!.IsTimeout : response.StatusCode != 500;
                if (fault is { IsTransient: false } || wasLast || !Backoff.ShouldRetry(tries, transient)) throw Failed(last);
                var pause = Backoff.Pause(_settings.FirstBackoff, tries, response?.RetryAfter, Random.Shared.NextDouble());
                var rest = Backoff.Rest(_settings.Deadline, _settings.Time.GetElapsedTime(_start));
                if (response?.RetryAfter > rest) (pause, wasLast) = (rest, true);
                await Task.Delay(pause, _settings.Time, _deadline.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            _caller.ThrowIfCancellationRequested();
            throw Failed(last ?? _transport.Named(
                ConnectionFault.NoAnswer(_transport.Server, _settings.Deadline).ToProblem(Cluster, request)));
        }
    }

    /// <summary>Reads a successful response.</summary>
    /// <exception cref="MeshTrustException">The server rejected the request, or its response cannot be read.</exception>
    internal T Read<T>(ApiRequest request, ApiResponse response, Func<JsonElement, T> read)
    {
        EnsureSuccess(request, response);
        try
        {
            using var json = response.Json() ?? throw new FormatException();
            return read(json.RootElement);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw Failed(_transport.Named(ApiRejection.Unreadable(Cluster, _transport.Server, request)));
        }
    }

    internal void EnsureSuccess(ApiRequest request, ApiResponse response)
    {
        if (!response.IsSuccess) throw Failed(Rejection(request, response));
    }

    private MeshTrustException Failed(Problem problem) => new(_settings.Stage, problem);

    private Problem Rejection(ApiRequest request, ApiResponse response)
    {
        if (response.StatusCode == 401 && _transport.ClientCertificateEnd is { } end && end < _settings.Time.GetUtcNow())
            return _transport.Named(ApiRejection.Expired(Cluster, _transport.Server, end));
        var problem = ApiRejection.Describe(Cluster, _transport.Server, request, response);
        return problem.Id is ProblemCodes.Unauthorized or ProblemCodes.NotAnApiServer ? _transport.Named(problem) : problem;
    }

    private async Task<ApiAttempt> TryAsync(ApiRequest request)
    {
        var connection = await ConnectAsync(null).ConfigureAwait(false);
        var attempt = await TryAsync(request, connection).ConfigureAwait(false);
        return _transport.MayRenew(attempt)
            ? await TryAsync(request, await ConnectAsync(connection).ConfigureAwait(false)).ConfigureAwait(false)
            : attempt;
    }

    /// <summary>A credential command has a deadline of its own, since a person may have to answer: this one pauses.</summary>
    private async Task<Connection> ConnectAsync(Connection? rejected)
    {
        var connecting = _transport.Connection(rejected, _caller);
        if (connecting.IsCompleted) return await connecting.ConfigureAwait(false);
        _timer.CancelAfter(Timeout.InfiniteTimeSpan);
        var connection = await connecting.WaitAsync(_caller).ConfigureAwait(false);
        _timer.CancelAfter(_settings.Deadline);
        _start = _settings.Time.GetTimestamp();
        return connection;
    }

    private async Task<ApiAttempt> TryAsync(ApiRequest request, Connection connection)
    {
        using var turn = await _transport.TurnAsync(_deadline.Token).ConfigureAwait(false);
        using var timer = new CancellationTokenSource(_settings.AttemptTimeout, _settings.Time);
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token, timer.Token);
        try
        {
            return await _transport.SendAsync(request, connection, attempt.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_deadline.IsCancellationRequested)
        {
            return new ApiAttempt(null, ConnectionFault.NoAnswer(_transport.Server, _settings.AttemptTimeout));
        }
    }
}

/// <summary>When to retry. Pure: the random number is a parameter.</summary>
internal static class Backoff
{
    /// <summary>Attempts for errors that may be permanent: a refused connection, a name that does not resolve yet, a 500.</summary>
    internal const int MaxAttempts = 7;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <summary>The pause after an attempt.</summary>
    /// <param name="first">The pause after the first attempt.</param>
    /// <param name="tries">How many attempts there were, at least one.</param>
    /// <param name="retryAfter">The server's Retry-After; the pause is never shorter.</param>
    /// <param name="dice">0 to 1: the pause is 50 to 100 percent of the full one, so that many clients do not retry at once.</param>
    internal static TimeSpan Pause(TimeSpan first, int tries, TimeSpan? retryAfter, double dice)
    {
        var full = TimeSpan.FromTicks(Math.Min(Longest.Ticks, (long)(first.Ticks * Math.Pow(2, Math.Min(tries - 1, 20)))));
        var pause = full * (0.5 + dice / 2);
        return retryAfter is { } asked && asked > pause ? asked : pause;
    }

    /// <summary>
    /// How long a call can still wait and have a tenth of its time for a last attempt: a server that asks for more than that often has room
    /// sooner.
    /// </summary>
    internal static TimeSpan Rest(TimeSpan deadline, TimeSpan elapsed)
    {
        var rest = deadline * 0.9 - elapsed;
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }

    internal static bool ShouldRetry(int tries, bool transient) => transient || tries < MaxAttempts;
}
