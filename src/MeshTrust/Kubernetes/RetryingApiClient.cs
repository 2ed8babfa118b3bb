using System.Text.Json;

namespace MeshTrust.Kubernetes;

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
    /// How long a call can still wait and have a tenth of its time for a last attempt: a server that requests more than that often has room
    /// sooner.
    /// </summary>
    internal static TimeSpan Rest(TimeSpan deadline, TimeSpan elapsed)
    {
        var rest = deadline * 0.9 - elapsed;
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }

    internal static bool ShouldRetry(int tries, bool transient) => transient || tries < MaxAttempts;
}
