using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>
/// Fetches over HTTPS (HTTP only from loopback to loopback), with a limit for silence, a limit for size and three tries. The environment's
/// proxy is used.
/// </summary>
internal sealed class ArchiveFetch(TimeSpan stall, TimeProvider time) : IDisposable
{
    public const string Otherwise =
        "download it with 'setup-envtest use', or set KUBEBUILDER_ASSETS to a directory with etcd and kube-apiserver";

    private const int Tries = 3;
    private const int MostRedirects = 8;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = stall })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Downloads to a file and returns the SHA-512 of the content, in lower case.</summary>
    /// <exception cref="MeshTrustException">MT2104.</exception>
    public Task<string> FetchAsync(Uri address, string file, long most, CancellationToken cancellationToken) =>
        TryAsync(address, token => FetchOnceAsync(address, file, most, token), cancellationToken);

    private async Task<string> FetchOnceAsync(Uri address, string file, long most, CancellationToken token)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        await using var target = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None);
        await CopyAsync(address, most, async part =>
        {
            hash.AppendData(part.Span);
            await target.WriteAsync(part, token).ConfigureAwait(false);
        }, token).ConfigureAwait(false);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Fetches a small text.</summary>
    /// <exception cref="MeshTrustException">MT2104.</exception>
    public Task<string> ReadAsync(Uri address, long most, CancellationToken cancellationToken) => TryAsync(address, async token =>
    {
        using var text = new MemoryStream();
        await CopyAsync(address, most, part =>
        {
            text.Write(part.Span);
            return ValueTask.CompletedTask;
        }, token).ConfigureAwait(false);
        return System.Text.Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }, cancellationToken);

    public void Dispose() => _client.Dispose();

    private async Task<T> TryAsync<T>(Uri address, Func<CancellationToken, Task<T>> fetch, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await fetch(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (Why(e, cancellationToken) is { } why)
            {
                if (tries >= Tries || e is RefusedException { IsFinal: true }) throw Failed(address, why, tries, e);
                await Task.Delay(Pause * tries, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static MeshTrustException Failed(Uri address, string why, int tries, Exception fault) => new(
        Stage.ClusterCreation,
        new Problem("MT2104", address.ToString(),
            $"The download failed: {why}{(tries > 1 ? $" ({tries} tries)" : "")}. The store is unchanged.",
            $"Check the network and HTTPS_PROXY and run again; or {Otherwise}."),
        fault);

    private async Task CopyAsync(Uri address, long most, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(stall, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        using var answer = await GetAsync(address, limit.Token).ConfigureAwait(false);
        if (answer.Content.Headers.ContentLength > most) throw TooLarge(most);
        await using var body = await answer.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false);
        var buffer = new byte[128 * 1024];
        for (long total = 0; ;)
        {
            silence.CancelAfter(stall);
            var count = await body.ReadAsync(buffer, limit.Token).ConfigureAwait(false);
            if (count == 0) return;
            if ((total += count) > most) throw TooLarge(most);
            await take(buffer.AsMemory(0, count)).ConfigureAwait(false);
        }
    }

    private async Task<HttpResponseMessage> GetAsync(Uri address, CancellationToken cancellationToken)
    {
        var next = address;
        for (var hops = 0; ; hops++)
        {
            if (next.Scheme != Uri.UriSchemeHttps && !(next.Scheme == Uri.UriSchemeHttp && next.IsLoopback && address.IsLoopback))
                throw new RefusedException($"{(hops == 0 ? "the address" : $"it redirects to {next}, which")} is not HTTPS", isFinal: true);
            var answer = await _client.GetAsync(next, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (answer.StatusCode == HttpStatusCode.OK) return answer;
            using (answer)
            {
                var code = (int)answer.StatusCode;
                if (code is not (301 or 302 or 303 or 307 or 308))
                    throw new RefusedException($"the server answered {code} {answer.ReasonPhrase}", code < 500 && code is not (408 or 429));
                if (answer.Headers.Location is not { } location || hops >= MostRedirects)
                    throw new RefusedException("too many redirects", isFinal: true);
                next = new Uri(next, location);
            }
        }
    }

    private static RefusedException TooLarge(long most) => new($"it is larger than {most >> 20} MiB", isFinal: true);

    /// <summary>A readable clause; null if it is not a transfer error.</summary>
    private string? Why(Exception fault, CancellationToken cancellationToken) => fault switch
    {
        RefusedException => fault.Message,
        OperationCanceledException when !cancellationToken.IsCancellationRequested =>
            $"the server sent nothing for {stall.TotalSeconds:0.#} s",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "the server's certificate is not trusted",
        HttpRequestException { InnerException: SocketException socket } => socket.Message.TrimEnd('.').ToLowerInvariant(),
        HttpIOException or IOException { InnerException: SocketException } or HttpRequestException { InnerException: IOException } =>
            "the connection closed before the download was complete",
        HttpRequestException => fault.Message.TrimEnd('.'),
        _ => null,
    };

    private sealed class RefusedException(string message, bool isFinal) : Exception(message)
    {
        public bool IsFinal { get; } = isFinal;
    }
}
