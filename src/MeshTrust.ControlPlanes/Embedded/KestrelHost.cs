using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// Kestrel without a host: a host would read configuration and environment, write logs and handle the signals of the process, which all
/// belong to the program that embeds this server.
/// </summary>
internal sealed class KestrelHost : IHttpApplication<HttpContext>, IAsyncDisposable
{
    private readonly RequestDelegate _handler;
    private readonly X509Certificate2 _certificate;
    private readonly ServiceProvider _services;
    private readonly IServer _server;

    private KestrelHost(int port, X509Certificate2 certificate, RequestDelegate handler)
    {
        _handler = handler;
        _certificate = certificate;
        var tls = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateRequired = true,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            ApplicationProtocols = [SslApplicationProtocol.Http11],

            // A resumed session would lose the client's certificate.
            AllowTlsResume = false,

            // Like kube-apiserver: a certificate is requested, not required; each request is authenticated separately.
#pragma warning disable CA5359 // On the server's side: Authentication checks the client's certificate, with a 401 that a client can read.
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        };
        var services = new ServiceCollection();
        services.AddOptions();
        services.AddMetrics();
        services.AddSingleton<DiagnosticSource>(new DiagnosticListener("MeshTrust.ControlPlanes.Embedded"));
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        new ServicesOnly(services).UseKestrelCore();
        services.Configure<KestrelServerOptions>(options =>
        {
            options.AddServerHeader = false;
            options.AllowSynchronousIO = false;
            options.Limits.MaxRequestBodySize = null;
            options.Limits.MinRequestBodyDataRate = null;
            options.Limits.MinResponseDataRate = null;
            options.Listen(IPAddress.Loopback, port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls) });
            });
        });
        _services = services.BuildServiceProvider();
        _server = _services.GetRequiredService<IServer>();
    }

    public int Port { get; private set; }

    /// <summary>Starts on that port (0 is any), or on any other if it is taken and that is allowed.</summary>
    public static async Task<KestrelHost> StartAsync(
        int port, bool orAny, Func<X509Certificate2> certificate, RequestDelegate handler, CancellationToken cancellationToken)
    {
        while (true)
        {
            var host = new KestrelHost(port, certificate(), handler);
            try
            {
                await host._server.StartAsync(host, cancellationToken).ConfigureAwait(false);
                var address = host._server.Features.Get<IServerAddressesFeature>()!.Addresses.Single();
                host.Port = new Uri(address).Port;
                return host;
            }
            catch (Exception e) when (port != 0 && orAny && IsBindFailure(e))
            {
                await host.DisposeAsync().ConfigureAwait(false);
                port = 0;
            }
            catch
            {
                await host.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public Task ProcessRequestAsync(HttpContext context) => _handler(context);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async ValueTask DisposeAsync()
    {
        // Requests in flight may finish briefly; then their connections are closed.
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _server.StopAsync(patience.Token).ConfigureAwait(false);
        await _services.DisposeAsync().ConfigureAwait(false);
        _certificate.Dispose();
    }

    /// <summary>Whether the port was taken or may not be used.</summary>
    public static bool IsBindFailure(Exception exception) =>
        exception is IOException { InnerException: AddressInUseException } or AddressInUseException
        || exception is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse or SocketError.AccessDenied }
        || (exception.InnerException is { } inner && IsBindFailure(inner));

    /// <summary>Kestrel registers its parts only through this interface; nothing else of a web host is needed here.</summary>
    private sealed class ServicesOnly(IServiceCollection services) : IWebHostBuilder
    {
        public IWebHostBuilder ConfigureServices(Action<IServiceCollection> configureServices)
        {
            configureServices(services);
            return this;
        }

        public IWebHostBuilder ConfigureServices(Action<WebHostBuilderContext, IServiceCollection> configureServices)
        {
            configureServices(new WebHostBuilderContext(), services);
            return this;
        }

        public IWebHostBuilder ConfigureAppConfiguration(Action<WebHostBuilderContext, IConfigurationBuilder> configureDelegate) => this;

        public IWebHostBuilder UseSetting(string key, string? value) => this;

        public string? GetSetting(string key) => null;

#pragma warning disable ASPDEPR008 // The interface names it; it is never built.
        public IWebHost Build() => throw new NotSupportedException();
#pragma warning restore ASPDEPR008
    }
}
