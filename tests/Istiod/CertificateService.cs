using System.Net;
using System.Net.Security;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MeshTrust.Tests.Istiod;

/// <summary>What the service does; a test can break each member.</summary>
public sealed record Behaviour
{
    /// <summary>The CA that it signs with now.</summary>
    public required Func<CertificateAuthority> Ca { get; init; }

    /// <summary>The CA that issued its serving certificate; null for the same CA.</summary>
    public Func<CertificateAuthority>? ServingCa { get; init; }

    public string[] Names { get; init; } = ["istiod.istio-system.svc"];

    /// <summary>The life of its own certificate, which is two minutes old.</summary>
    public TimeSpan ServingLife { get; init; } = TimeSpan.FromDays(1);

    public string TrustDomain { get; init; } = "cluster.local";

    /// <summary>Other clusters whose tokens it accepts.</summary>
    public string[] RemoteClusters { get; init; } = [];

    public TimeSpan Delay { get; init; }

    /// <summary>Changes the elements of a response.</summary>
    public Func<IReadOnlyList<string>, IReadOnlyList<string>> Answer { get; init; } = chain => chain;
}

/// <summary>
/// Istio's certificate service (security/pkg/server/ca/server.go): it accepts any token with the audience <c>istio-ca</c> as if it had
/// reviewed it, and returns the leaf, the chain, and the roots as one element.
/// </summary>
public sealed class CertificateService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private CertificateService(WebApplication app) => _app = app;

    public int Port => new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;

    public static async Task<CertificateService> StartAsync(Behaviour behaviour, IPAddress address, int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(behaviour);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(o => o.Listen(address, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ =>
                {
                    var (own, chain) = (behaviour.ServingCa ?? behaviour.Ca)().Serving(behaviour.ServingLife, behaviour.Names);
                    return ValueTask.FromResult(new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = SslStreamCertificateContext.Create(own, chain, offline: true),
                        ApplicationProtocols = [SslApplicationProtocol.Http2],
                    });
                },
            });
        }));
        var app = builder.Build();
        app.MapGrpcService<Service>();
        await app.StartAsync();
        return new CertificateService(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [BindServiceMethod(typeof(Service), nameof(Service.Bind))]
    private abstract class ServiceBase
    {
        public abstract Task<byte[]> CreateCertificate(byte[] request, ServerCallContext context);
    }

    private sealed class Service(Behaviour behaviour) : ServiceBase
    {
        private static readonly Marshaller<byte[]> Bytes = Marshallers.Create<byte[]>(b => b, b => b);

        public static void Bind(ServiceBinderBase binder, ServiceBase service) => binder.AddMethod(
            new Method<byte[], byte[]>(MethodType.Unary, "istio.v1.auth.IstioCertificateService", "CreateCertificate", Bytes, Bytes),
            new UnaryServerMethod<byte[], byte[]>((request, context) => service.CreateCertificate(request, context)));

        public override async Task<byte[]> CreateCertificate(byte[] request, ServerCallContext context)
        {
            await Task.Delay(behaviour.Delay, context.CancellationToken);
            var cluster = context.RequestHeaders.GetValue("clusterid");
            var account = AccountOf(context.RequestHeaders.GetValue("authorization") ?? "");
            if (account is null || (cluster is not null && !behaviour.RemoteClusters.Contains(cluster)))
                throw new RpcException(new Status(StatusCode.Unauthenticated, "request authenticate failure"));
            var (csr, seconds) = Read(request);
            var ca = behaviour.Ca();
            var leaf = ca.Sign(csr, $"spiffe://{behaviour.TrustDomain}/ns/{account.Value.Namespace}/sa/{account.Value.Name}", TimeSpan.FromSeconds(seconds));
            return Write(behaviour.Answer([leaf, ca.Chain, ca.Roots]));
        }

        private static (string Namespace, string Name)? AccountOf(string authorization)
        {
            if (authorization.Split('.') is not [_, var payload, _]) return null;
            using var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(payload));
            var audience = claims.RootElement.GetProperty("aud");
            var isMeant = audience.ValueKind == JsonValueKind.Array ? audience.EnumerateArray().Any(a => a.GetString() == "istio-ca") : audience.GetString() == "istio-ca";
            return isMeant && claims.RootElement.GetProperty("sub").GetString()!.Split(':') is ["system", "serviceaccount", var ns, var name] ? (ns, name) : null;
        }

        private static (string Csr, long Seconds) Read(byte[] request)
        {
            var (csr, seconds, input) = ("", 0L, new CodedInputStream(request));
            while (input.ReadTag() is not 0 and var tag)
            {
                switch (WireFormat.GetTagFieldNumber(tag))
                {
                    case 1: csr = input.ReadString(); break;
                    case 3: seconds = input.ReadInt64(); break;
                    default: input.SkipLastField(); break;
                }
            }

            return (csr, seconds);
        }

        private static byte[] Write(IReadOnlyList<string> chain)
        {
            using var bytes = new MemoryStream();
            using (var output = new CodedOutputStream(bytes, leaveOpen: true))
            {
                foreach (var element in chain)
                {
                    output.WriteTag(1, WireFormat.WireType.LengthDelimited);
                    output.WriteString(element);
                }
            }

            return bytes.ToArray();
        }
    }
}
