using System.Security.Authentication;
using MeshTrust.Kubeconfig;

namespace MeshTrust.Kubernetes;

/// <summary>Sends requests with patience: passing faults are tried again until the deadline, lasting ones are told at once.</summary>
internal sealed class ApiServerCalls(ClusterAccess access, ApiServerChannel channel, ClusterApiSettings settings)
{
    /// <summary>When a call must have ended.</summary>
    internal CancellationTokenSource Deadline(CancellationToken cancellationToken, out CancellationTokenSource timer)
    {
        timer = new CancellationTokenSource(settings.Deadline, settings.Time);
        return CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
    }

    /// <summary>Sends until there is an answer that asking again will not change.</summary>
    /// <param name="request">What to send; it must be safe to send twice.</param>
    /// <param name="deadline">Cancelled when the whole call must end.</param>
    /// <param name="cancellationToken">The caller's own wish, which is no fault.</param>
    /// <exception cref="MeshTrustException">No answer came.</exception>
    internal async Task<ApiReply> SendAsync(ApiRequest request, CancellationToken deadline, CancellationToken cancellationToken)
    {
        Problem? last = null;
        var lost = false;
        for (var tries = 1; ; tries++)
        {
            TimeSpan? retryAfter = null;
            bool passing;
            try
            {
                var (answer, fault) = await TryAsync(request, deadline, cancellationToken).ConfigureAwait(false);
                if (answer is { IsTransient: false }) return new ApiReply(answer, lost);
                retryAfter = answer?.RetryAfter;
                lost |= fault is not null || answer?.StatusCode is 500 or 502 or 504;
                // A server that is known to have ended does not come back: waiting for it would only hide the reason.
                if (answer is null && settings.FaultOf(access.Name) is { } ended) throw new MeshTrustException(Stage.Contexts, ended);
                last = answer is null ? fault!.ToProblem(access.Name.Value, request) : Refusal(request, answer);
                passing = answer is not null ? answer.StatusCode != 500 : fault!.Id == "MT3004";
                if (fault is { IsTransient: false } || !Backoff.IsWorthIt(tries, passing)) throw new MeshTrustException(Stage.Contexts, last);
                var pause = Backoff.Pause(settings.FirstBackoff, tries, retryAfter, Random.Shared.NextDouble());
                await Task.Delay(pause, settings.Time, deadline).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw new MeshTrustException(Stage.Contexts, last ?? ConnectionFault.NoAnswer(channel.Server, settings.Deadline).ToProblem(access.Name.Value, request));
            }
        }
    }

    /// <summary>What an answer that is no success means.</summary>
    internal MeshTrustException Refused(ApiRequest request, ApiAnswer answer) => new(Stage.Contexts, Refusal(request, answer));

    /// <summary>An answer that cannot be read.</summary>
    internal MeshTrustException Unreadable(ApiRequest request) => new(Stage.Contexts, new Problem("MT3011", access.Name.Value,
        $"What answers at {channel.Server} is no Kubernetes API server: its answer while {request.Doing} is not the object that was asked for.",
        "Correct 'server' of this context: something else, such as a proxy or a login page, answers there."));

    private Problem Refusal(ApiRequest request, ApiAnswer answer)
    {
        var problem = ApiRefusal.Describe(access.Name.Value, channel.Server, request, answer);
        return answer.StatusCode == 401 && channel.ClientCertificateEnd() is { } end && end < settings.Time.GetUtcNow()
            ? problem with { Id = "MT3017", Message = $"The client certificate of this context expired on {end:yyyy-MM-dd'T'HH:mm:ss'Z'}: {channel.Server} does not accept it (401).", Hint = "Get the cluster's kubeconfig again." }
            : problem;
    }

    private async Task<(ApiAnswer? Answer, ConnectionFault? Fault)> TryAsync(ApiRequest request, CancellationToken deadline, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(settings.AttemptTimeout, settings.Time);
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(deadline, timer.Token);
        try
        {
            return (await channel.SendAsync(request, attempt.Token).ConfigureAwait(false), null);
        }
        catch (OperationCanceledException) when (!deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return (null, ConnectionFault.NoAnswer(channel.Server, settings.AttemptTimeout));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or AuthenticationException)
        {
            return (null, ConnectionFault.From(e, channel.Server, channel.Trust));
        }
    }
}
