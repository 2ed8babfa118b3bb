using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text.Json;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>
/// The connection to one API server. KubernetesClient provides the credentials and the HTTP client. Requests are sent without its
/// generated operations: those put the request's body, here a key, into their exceptions, and compiling them costs a third of a warm run.
/// </summary>
internal sealed class ApiTransport(ClusterName cluster, ResolvedContext context, TimeSpan connectTimeout) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<Task<Connection>> _connections = [];

    internal ClusterName Cluster => cluster;
    internal Uri Server { get; } = new(context.Server.AbsoluteUri.TrimEnd('/') + "/");
    internal string Endpoint => context.Endpoint;

    /// <summary>When the context's client certificate expires, if it has one: the usual reason for a 401.</summary>
    internal DateTimeOffset? ClientCertificateEnd => ApiCredentials.ClientCertificateEnd(context.User);

    /// <summary>Reads the kubeconfig; nothing is sent before the first request.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the kubeconfig cannot be used.</exception>
    internal static ApiTransport Open(ClusterAccess access, TimeSpan connectTimeout)
    {
        var document = KubeconfigDocument.Load(access.KubeconfigPath).Subset(access.ContextName);
        return new ApiTransport(access.Name, document.Resolve(access.ContextName), connectTimeout);
    }

    /// <summary>One attempt. If the server rejects renewable credentials, they are renewed once.</summary>
    internal async Task<ApiAttempt> SendAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        var connecting = Current(rejected: null);
        var attempt = await SendAsync(request, connecting, cancellationToken).ConfigureAwait(false);
        return attempt.Response?.StatusCode == 401 && context.HasRenewableCredentials
            ? await SendAsync(request, Current(rejected: connecting), cancellationToken).ConfigureAwait(false)
            : attempt;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var connection in _connections.Where(c => c.IsCompletedSuccessfully)) connection.Result.Client.Dispose();
            _connections.Clear();
        }
    }

    /// <summary>The latest connection; a new one if there is none, or if its credentials were the rejected ones.</summary>
    private Task<Connection> Current(Task<Connection>? rejected)
    {
        lock (_lock)
        {
            // A credential command may block for seconds: it must not delay the caller's other clusters.
            if (_connections.Count == 0 || _connections[^1] == rejected)
                _connections.Add(context.Command is null ? Task.FromResult(Connect()) : Task.Run(Connect));
            return _connections[^1];
        }
    }

    private async Task<ApiAttempt> SendAsync(ApiRequest request, Task<Connection> connecting, CancellationToken cancellationToken)
    {
        var (client, trust) = await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var message = MessageFor(request);
            if (client.Credentials is { } credentials)
                await credentials.ProcessHttpRequestAsync(message, cancellationToken).ConfigureAwait(false);
            using var response = await client.HttpClient
                .SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return new ApiAttempt(new ApiResponse((int)response.StatusCode, body, response.Headers.RetryAfter?.Delta), null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or AuthenticationException)
        {
            return new ApiAttempt(null, ConnectionFault.From(e, Server, trust));
        }
    }

    private HttpRequestMessage MessageFor(ApiRequest request)
    {
        var message = new HttpRequestMessage(request.Method, new Uri(Server, request.Path.TrimStart('/')))
        {
            // One connection carries all requests, as in client-go, even those that are sent concurrently.
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        // .NET takes the TLS server name only from here, through proxies too: it overwrites SslOptions.TargetHost.
        message.Headers.Host = context.Cluster.Text("tls-server-name");
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        message.Headers.UserAgent.Add(new ProductInfoHeaderValue("meshtrust", null));
        if (context.User.Text("as") is { } impersonated) message.Headers.Add("Impersonate-User", impersonated);
        if (!request.Body.IsEmpty)
        {
            message.Content = new ReadOnlyMemoryContent(request.Body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue(request.ContentType);
        }

        return message;
    }

    private Connection Connect()
    {
        try
        {
            var configuration = ApiCredentials.Build(context);
            SocketsHttpHandler? handler = null;
            configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
            configuration.FirstMessageHandlerSetup = h =>
            {
                handler = h;
                h.AllowAutoRedirect = false;
                h.ConnectTimeout = connectTimeout;
                // .NET sends even loopback through HTTPS_PROXY; kubectl does not.
                if (Server.IsLoopback) h.UseProxy = false;
                else if (context.Cluster.Text("proxy-url") is { } proxy) h.Proxy = new WebProxy(proxy);
            };
            var client = new k8s.Kubernetes(configuration);
            var trust = new ServerTrust(Server, configuration.SslCaCerts, context.SkipsTlsVerification);
            handler!.SslOptions.RemoteCertificateValidationCallback = trust.Accept;
            return new Connection(client, trust);
        }
        catch (Exception e) when (e is not MeshTrustException)
        {
            // The exception itself is not reported: its text may quote a command's output.
            throw new MeshTrustException(Stage.Contexts, ApiCredentials.Unusable(context));
        }
    }

    private sealed record Connection(k8s.Kubernetes Client, ServerTrust Trust);
}

/// <summary>The requests of one call, under one deadline: transient errors are retried, permanent ones are reported at once.</summary>
internal sealed class RetryingApiClient : IDisposable
{
    private readonly ApiTransport _transport;
    private readonly ClusterApiSettings _settings;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _deadline;

    internal RetryingApiClient(ApiTransport transport, ClusterApiSettings settings, CancellationToken cancellationToken)
    {
        _transport = transport;
        _settings = settings;
        _caller = cancellationToken;
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
        var mayHaveBeenApplied = false;
        try
        {
            for (var tries = 1; ; tries++)
            {
                var (response, fault) = await TryAsync(request).ConfigureAwait(false);
                if (response is { IsTransient: false }) return response with { MayHaveBeenApplied = mayHaveBeenApplied };
                // A server that is known to have exited does not come back: retrying would only hide the reason.
                if (fault is not null && _settings.FaultOf(_transport.Cluster) is { } ended) throw Failed(ended);
                mayHaveBeenApplied |= response is null or { StatusCode: 500 or 502 or 504 };
                last = response is null ? fault!.ToProblem(Cluster, request) : Rejection(request, response);
                // Timeouts and what the server itself calls transient are retried until the deadline; anything else may be permanent.
                var transient = response is null ? fault!.IsTimeout : response.StatusCode != 500;
                if (fault is { IsTransient: false } || !Backoff.ShouldRetry(tries, transient)) throw Failed(last);
                var pause = Backoff.Pause(_settings.FirstBackoff, tries, response?.RetryAfter, Random.Shared.NextDouble());
                await Task.Delay(pause, _settings.Time, _deadline.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            _caller.ThrowIfCancellationRequested();
            throw Failed(last ?? ConnectionFault.NoAnswer(_transport.Server, _settings.Deadline).ToProblem(Cluster, request));
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
            throw Failed(ApiRejection.Unreadable(Cluster, _transport.Server, request));
        }
    }

    internal void EnsureSuccess(ApiRequest request, ApiResponse response)
    {
        if (!response.IsSuccess) throw Failed(Rejection(request, response));
    }

    private MeshTrustException Failed(Problem problem) => new(_settings.Stage, problem);

    private Problem Rejection(ApiRequest request, ApiResponse response) =>
        response.StatusCode == 401 && _transport.ClientCertificateEnd is { } end && end < _settings.Time.GetUtcNow()
            ? ApiRejection.Expired(Cluster, _transport.Server, end)
            : ApiRejection.Describe(Cluster, _transport.Server, request, response);

    private async Task<ApiAttempt> TryAsync(ApiRequest request)
    {
        using var timer = new CancellationTokenSource(_settings.AttemptTimeout, _settings.Time);
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token, timer.Token);
        try
        {
            return await _transport.SendAsync(request, attempt.Token).ConfigureAwait(false);
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

    internal static bool ShouldRetry(int tries, bool transient) => transient || tries < MaxAttempts;
}
