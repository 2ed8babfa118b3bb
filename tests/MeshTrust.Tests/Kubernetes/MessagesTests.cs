using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Pki;

namespace MeshTrust.Tests.Kubernetes;

/// <summary>The wording of what users read when an API server cannot be reached or a push is rejected.</summary>
public sealed partial class MessagesTests
{
    private const string Namespace = "istio-system";
    private static readonly Uri Server = new("https://east.example:6443");

    private static readonly ApiRequest Writing = new()
    {
        Method = HttpMethod.Patch, Path = "/x", Verb = "patch", Resource = "secrets", Namespace = Namespace, Name = "cacerts",
    };

    private static readonly ApiRequest Reading = Writing with { Method = HttpMethod.Get, Verb = "get" };

    [Test]
    public async Task Messages_match_the_golden_file() => Golden.Compare(
        "tests/MeshTrust.Tests/Kubernetes/messages.golden.txt",
        ((IEnumerable<Problem>)
            [.. Rejections(), .. Connections(), .. Certificates(), .. Versions(), .. await GuardAsync(), .. await TwinsAsync()])
            .Select(p => Changing().Replace($"{(p.Severity == Severity.Warning ? "warning " : "")}{p}", "...")));

    private static IEnumerable<Problem> Rejections()
    {
        foreach (var row in KubernetesClusterApiTests.Rejections)
        {
            var message = JsonSerializer.Serialize((string)row[2]);
            var body = $$"""{"kind":"Status","reason":"{{row[1]}}","message":{{message}},"details":{{row[3]}}}""";
            yield return Rejected((int)row[0], body, Writing);
        }

        yield return Rejected(403, """{"kind":"Status","message":"no"}""", Reading);
        yield return Rejected(418, """{"kind":"Status","reason":"Teapot","message":"no"}""", Reading);
        yield return Rejected(422, """{"kind":"Status","message":"metadata.name: Invalid"}""", Writing);
        yield return Rejected(429, """{"kind":"Status","message":"Too many requests"}""", Reading);
        yield return Rejected(302, "<html>log in</html>", Reading);
        yield return ApiRejection.Unreadable("east", Server, Reading);
        yield return ApiRejection.Expired("east", Server, new DateTimeOffset(2026, 8, 22, 10, 0, 0, TimeSpan.Zero));
    }

    private static Problem Rejected(int code, string body, ApiRequest request) =>
        ApiRejection.Describe("east", Server, request, new ApiResponse(code, Encoding.UTF8.GetBytes(body), null));

    private static IEnumerable<Problem> Connections()
    {
        var trust = new ServerTrust(Server, null, skip: false);
        Exception[] causes =
        [
            new HttpRequestException(HttpRequestError.ProxyTunnelError),
            new HttpRequestException(HttpRequestError.NameResolutionError),
            new HttpRequestException(HttpRequestError.InvalidResponse),
            new SocketException((int)SocketError.ConnectionRefused),
            new SocketException((int)SocketError.HostUnreachable),
            new AuthenticationException(),
            new IOException(),
        ];
        return [.. causes.Select(c => ConnectionFault.From(c, Server, trust, proxy: null))
            .Concat(causes.Take(4).Where((_, i) => i != 2).Select(c => ConnectionFault.From(c, Server, trust, new ApiProxy(new Uri("http://me:pw@proxy.example:3128"), "HTTPS_PROXY"))))
            .Append(ConnectionFault.From(causes[1], new Uri("https://east-control-plane:6443"), trust))
            .Append(ConnectionFault.NoAnswer(Server, TimeSpan.FromSeconds(10)))
            .Select(f => f.ToProblem("east", Reading))];
    }

    private static IEnumerable<Problem> Certificates()
    {
        using var authority = KubernetesClusterApiTests.Authority("ca");
        using var other = KubernetesClusterApiTests.Authority("other");
        using var right = KubernetesClusterApiTests.Leaf(authority, "east.example", expired: false);
        using var old = KubernetesClusterApiTests.Leaf(authority, "east.example", expired: true);
        return
        [
            Rejection(null, SslPolicyErrors.RemoteCertificateNotAvailable, authority),
            Rejection(right, SslPolicyErrors.RemoteCertificateNameMismatch, authority),
            Rejection(right, SslPolicyErrors.RemoteCertificateChainErrors, null),
            Rejection(right, SslPolicyErrors.RemoteCertificateChainErrors, other),
            Rejection(old, SslPolicyErrors.RemoteCertificateChainErrors, authority),
        ];
    }

    private static Problem Rejection(X509Certificate2? shown, SslPolicyErrors errors, X509Certificate2? authority)
    {
        var trust = new ServerTrust(Server, authority is null ? null : new X509Certificate2Collection(authority), skip: false);
        Assert.That(trust.Accept(new object(), shown, null, errors), Is.False);
        return trust.Rejection!.ToProblem("east", Reading);
    }

    private static IEnumerable<Problem> Versions() =>
        ((string[])["v1.20.2", "v1.99.0", "unknown"]).Select(v => KubernetesVersionSupport.Judge("east", v, new DateTimeOffset(2026, 11, 30, 0, 0, 0, TimeSpan.Zero))!);

    /// <summary>Live clusters for the push guard: most of its messages, and its hints about restarts and roots.</summary>
    private static async Task<IEnumerable<Problem>> GuardAsync()
    {
        using var store = new StoreFixture();
        using var another = new StoreFixture();
        var ours = await store.OneClusterAsync();
        var foreign = await another.OneClusterAsync();
        var none = new LiveTrust { Cluster = ours.Cluster };
        var namespaces = (IReadOnlyList<ConfigMapDocument>)[Published(foreign, "a"), Published(foreign, "b")];
        LiveTrust[] lives =
        [
            none with { Cacerts = Held(foreign), RootConfigMaps = namespaces },
            none with { RootConfigMap = Published(foreign) },
            none with { Cacerts = Held(ours), RootConfigMap = Published(foreign) },
            none with { Cacerts = Held(foreign), RootConfigMap = Published(ours) },
            none with { Cacerts = Held(ours, d => d["root-cert.pem"] = "garbage"u8.ToArray()), RootConfigMaps = namespaces },
            none with { Cacerts = Held(ours, d => d["root-cert.pem"] = "garbage"u8.ToArray()), RootConfigMap = Published(ours) },
            none with { Cacerts = Held(ours, d => d[CacertsSecret.GeneratedMark] = []) with { Type = "istio.io/ca-root" } },
            none with { Cacerts = Held(ours, d => d["tls.crt"] = "x"u8.ToArray()) },
            none with { Cacerts = Held(ours, d => d["ca-key.pem"] = "x"u8.ToArray()) with { Immutable = true } },
            none with { Cacerts = Held(ours, d => d["root-cert.pem"] = [.. d["root-cert.pem"], (byte)'\n']) },
            none with { Cacerts = Held(ours, d => d["root-cert.pem"] = [0xEF, 0xBB, 0xBF, .. d["root-cert.pem"]]) },
        ];
        CacertsPushSettings[] settings = [new(), new() { Force = true, AcceptOutage = true }];
        return from live in lives
               from setting in settings
               let verdict = PushGuard.Inspect(live, ours, Namespace, setting)
               from problem in verdict.Problems.Concat(verdict.Warnings)
               select problem;
    }

    private static SecretDocument Held(ClusterCacerts cacerts, Action<Dictionary<string, byte[]>>? change = null)
    {
        var secret = CacertsSecret.For(cacerts, Namespace);
        var data = new Dictionary<string, byte[]>(secret.Data);
        change?.Invoke(data);
        return secret with { Data = data };
    }

    private static ConfigMapDocument Published(ClusterCacerts cacerts, string ns = Namespace) => new()
    {
        Namespace = ns,
        Name = LiveTrust.RootConfigMapName,
        Data = new Dictionary<string, string> { ["root-cert.pem"] = Encoding.ASCII.GetString(cacerts.RootCert.Span) },
    };

    private static async Task<IEnumerable<Problem>> TwinsAsync()
    {
        ClusterAccess[] clusters = [.. ((string[])["east", "west"])
            .Select(n => new ClusterAccess { Name = ClusterName.Parse(n), KubeconfigPath = "/none", ContextName = $"kind-{n}" })];
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => ContextsCheck.RunAsync(clusters, Connect, TimeProvider.System, CancellationToken.None));
        return fault!.Problems;

        static IClusterApi Connect(ClusterAccess access)
        {
            var api = new MemoryClusterApi(access.Name.Value) { Endpoint = "https://a" };
            api.Namespaces.Clear();
            return api;
        }
    }

    /// <summary>Fingerprints and times.</summary>
    [GeneratedRegex(@"\b[0-9a-f]{16}\b|\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ")]
    private static partial Regex Changing();
}
