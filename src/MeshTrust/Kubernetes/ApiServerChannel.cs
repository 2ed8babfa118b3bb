using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using k8s;
using MeshTrust.Kubeconfig;

namespace MeshTrust.Kubernetes;

/// <summary>
/// The wire to one API server. KubernetesClient makes the credentials and the HTTP client; the few requests are sent without its generated
/// operations: those put the request's body, here a private key, into their exceptions, and cost a third of a warm run to compile.
/// </summary>
internal sealed class ApiServerChannel : IDisposable
{
    private readonly KubeconfigJudge _context;
    private readonly TimeSpan _connectTimeout;
    private readonly Lazy<Task<k8s.Kubernetes>> _client;
    private ServerTrust? _trust;

    internal ApiServerChannel(KubeconfigJudge context, TimeSpan connectTimeout)
    {
        _context = context;
        _connectTimeout = connectTimeout;
        Server = new Uri(context.Cluster.Text("server")!.TrimEnd('/') + "/");
        // A command for credentials may take seconds and blocks: it must not hold up the caller's other clusters.
        _client = new(() => KubeconfigJudge.ExecCommand(_context.User) is null ? Task.FromResult(Connect()) : Task.Run(Connect));
    }

    internal Uri Server { get; }

    internal ServerTrust Trust => _trust ?? new ServerTrust(Server, null, skip: false);

    /// <summary>The end of the client certificate, where the context has one: the usual reason for a 401.</summary>
    internal DateTimeOffset? ClientCertificateEnd()
    {
        if (_context.User.Text("client-certificate-data") is not { } data) return null;
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(data)));
            return new DateTimeOffset(certificate.NotAfter).ToUniversalTime();
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>One try. Throws what .NET throws; <see cref="ConnectionFault"/> reads it.</summary>
    internal async Task<ApiAnswer> SendAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        var client = await _client.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
        using var message = new HttpRequestMessage(request.Method, new Uri(Server, request.Path.TrimStart('/')))
        {
            // One connection carries all requests, as with client-go: what goes out together does not open several.
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        // .NET takes the name for the handshake from here, through proxies too, and from nowhere else: it overwrites SslOptions.TargetHost.
        message.Headers.Host = _context.Cluster.Text("tls-server-name");
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        message.Headers.UserAgent.Add(new ProductInfoHeaderValue("meshtrust", null));
        if (_context.User.Text("as") is { } impersonated) message.Headers.Add("Impersonate-User", impersonated);
        if (!request.Body.IsEmpty)
        {
            message.Content = new ReadOnlyMemoryContent(request.Body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue(request.ContentType);
        }
        if (client.Credentials is { } credentials) await credentials.ProcessHttpRequestAsync(message, cancellationToken).ConfigureAwait(false);
        using var response = await client.HttpClient.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        return new ApiAnswer((int)response.StatusCode, body, response.Headers.RetryAfter?.Delta);
    }

    public void Dispose()
    {
        if (_client is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) _client.Value.Result.Dispose();
    }

    private k8s.Kubernetes Connect()
    {
        var configuration = Configure();
        SocketsHttpHandler? handler = null;
        configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
        configuration.FirstMessageHandlerSetup = h =>
        {
            handler = h;
            h.AllowAutoRedirect = false;
            h.ConnectTimeout = _connectTimeout;
            // .NET sends even loopback through HTTPS_PROXY, where kubectl does not.
            if (Server.IsLoopback) h.UseProxy = false;
            else if (_context.Cluster.Text("proxy-url") is { } proxy) h.Proxy = new WebProxy(proxy);
        };
        try
        {
            var client = new k8s.Kubernetes(configuration);
            _trust = new ServerTrust(Server, configuration.SslCaCerts, _context.Cluster.Flag("insecure-skip-tls-verify"));
            handler!.SslOptions.RemoteCertificateValidationCallback = _trust.Accept;
            return client;
        }
        catch (Exception e) when (e is not MeshTrustException)
        {
            throw Unusable();
        }
    }

    private KubernetesClientConfiguration Configure()
    {
        try
        {
            return ApiServerCredentials.Build(_context);
        }
        catch (Exception e) when (e is not MeshTrustException)
        {
            throw Unusable();
        }
    }

    /// <summary>The fault itself is not told: its text may quote what a command printed.</summary>
    private MeshTrustException Unusable()
    {
        var command = KubeconfigJudge.ExecCommand(_context.User);
        return new(Stage.Contexts, new Problem("MT3016", _context.Context.Name,
            command is null ? $"The credentials of the user '{_context.User.Name}' cannot be used: certificate and key do not go together, or one is damaged."
                : $"The command '{command}', which makes this user's credentials, could not be started or gave none.",
            command is null ? "See that its certificate, key or token is whole; or log in to the cluster again."
                : "See that it is installed and on the PATH, run it by hand, log in where it asks to, then run again."));
    }
}
