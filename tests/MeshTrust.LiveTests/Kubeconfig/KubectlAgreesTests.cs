using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Kubeconfig;

/// <summary>
/// kubectl and MeshTrust with the same kubeconfig: both succeed and send the same credentials, or both fail, and then MeshTrust's problem
/// names the user's own file, context and user.
/// </summary>
[TestFixture, NonParallelizable, Category(OutsideTool.Category)]
[Platform(Exclude = "Win", Reason = "credential commands are shell scripts"), System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class KubectlAgreesTests
{
    private const string V1 = "apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never";
    private static readonly string[] Proxies = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy"];

    private readonly ScratchDirectory _scratch = new();
    private readonly System.Collections.Concurrent.ConcurrentQueue<ScriptedRequest> _requests = new();
    private X509Certificate2 _authority = null!;
    private ScriptedApiServer _https = null!;
    private ScriptedApiServer _http = null!;
    private ScriptedProxy _proxy = null!;

    [OneTimeSetUp]
    public void Begin()
    {
        _authority = Authority();
        var leaf = Leaf(_authority);
        _https = new ScriptedApiServer(Answer, leaf);
        _http = new ScriptedApiServer(Answer);
        _proxy = new ScriptedProxy("Basic " + Convert.ToBase64String("me:p@ss"u8));
        _scratch.Write("ca.pem", _authority.ExportCertificatePem());
        _scratch.Write("cert.pem", leaf.ExportCertificatePem());
        _scratch.Write("key.pem", leaf.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _scratch.Write("other.key", key.ExportPkcs8PrivateKeyPem());
        _scratch.Write("token", "from-file\n");
        _scratch.Write("empty", "");
        Script("bin/plugin", "printf '%s' \"$1\"");
        Script("bin/fails", "echo 'please log in first' >&2; exit 7");
        _scratch.Write("bin/plain", "#!/bin/sh\n");
        _scratch.Write("second.yaml", Text("user: {token: second}"));
        _scratch.Write("comment.yaml", "# nothing\n");
        _scratch.Write("broken.yaml", "a: [");
        _scratch.Write("other.yaml", "users:\n- name: other\n  user: {token: x}\n");
    }

    internal static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    internal static X509Certificate2 Leaf(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var address in (string[])["127.0.0.1", "0.0.0.0"]) names.AddIpAddress(IPAddress.Parse(address));
        foreach (var name in (string[])["localhost", "kubernetes"]) names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(9), [1, 2, 3]);
        using var pair = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
    }

    [OneTimeTearDown]
    public async Task End()
    {
        if (_https is not null) await _https.DisposeAsync();
        if (_http is not null) await _http.DisposeAsync();
        if (_proxy is not null) await _proxy.DisposeAsync();
        _authority?.Dispose();
        _scratch.Dispose();
    }

    private ScriptedAnswer Answer(ScriptedRequest request)
    {
        _requests.Enqueue(request);
        return request.Headers.GetValueOrDefault("Authorization") == "Bearer bad" ? ScriptedAnswer.Refuse(401, "Unauthorized", "Unauthorized")
        : new ScriptedAnswer(200, """{"gitVersion":"v1.34.0","kind":"Namespace","metadata":{"name":"kube-system","uid":"u"}}""");
    }

    private void Script(string name, string body) => File.SetUnixFileMode(_scratch.Write(name, "#!/bin/sh\n" + body + "\n"),
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    private static string Text(string user = "user: {token: good}", string cluster = "{https}, {ca}", string context = "cluster: c, user: u", string more = "") => $$"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: c
          cluster: { {{cluster}} }
        users:
        - name: u
          {{user}}
        contexts:
        - name: x
          context: { {{context}} }
        {{more}}
        """;

    private static TestCaseData User(string user, string name = "") => Case(user, Text($"user: {{ {user} }}"), name);

    private static TestCaseData Http(string user, string context = "cluster: c, user: u") =>
        Case($"over http: {user} ({context})", Text($"user: {{ {user} }}", "{http}", context));

    private static TestCaseData Cluster(string cluster) => Case(cluster, Text(cluster: cluster));

    private static TestCaseData File_(string name, string text) => Case(name, text);

    private static TestCaseData Variables(string variables, string cluster = "{https}, {ca}", string files = "") =>
        new TestCaseData(Text(cluster: cluster), variables, files).SetArgDisplayNames($"{variables} {files} {cluster}");

    private static TestCaseData Case(string name, string text, string other = "") =>
        new TestCaseData(text, "", "").SetArgDisplayNames(other.Length > 0 ? other : name);

    private static string Credential(string status, string version = "v1") =>
        $"'{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/{version}\",\"status\":{status}}}'".Replace("\"", "\\\"");

    private static string Plugin(string output, string command = "bin/plugin") => $"exec: {{ {V1}, command: {command}, args: [\"{output.Trim('\'')}\"] }}";

    private static string Jwt(string claims) => $"{Url("{}")}.{Url(claims)}.x";

    private static string Url(string text) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static IEnumerable<TestCaseData> Cases() =>
    [
        User("token: good"), User("token: bad"), User("token: \"good\\n\""), User("token: \"go\\tod\""), User("token: 123"), User("token: yes"),
        User("tokenFile: token"), User("tokenFile: gone"), User("tokenFile: empty"), User("tokenFile: token, token: good"),
        User("tokenFile: gone, token: good"), User("tokenFile: empty, token: good"), User("Token: good"), User("token: good, unknown: 1"),
        User("token: bad, token: good"), User(""), User("as: jane"),
        User("username: me, password: pw"), User("username: me"), User("password: pw"), User("token: good, username: me"),
        User("tokenFile: token, username: me"), User("token: good, password: pw"),
        User("client-certificate: cert.pem, client-key: key.pem"), User("client-certificate: cert.pem"), User("client-key: key.pem"),
        User("client-key: gone, token: good"), User("client-certificate: gone, client-key: key.pem"),
        User("client-certificate-data: {cert}, client-key-data: {other}"),
        User("client-certificate: cert.pem, client-key: key.pem, client-key-data: aGk="),
        User("client-certificate-data: aGk=, client-key-data: aGk="), User("client-certificate-data: '*', client-key-data: aGk="),
        User("token: good, as: jane"), User("token: good, as: jürgen"), User("token: good, as: jane, as-uid: '7'"), User("token: good, as: jane, as-groups: [a]"),
        User("token: good, as: jane, as-groups: [a, b, 'c d']"), User("token: good, as: jane, as-groups: a"),
        User("token: good, as: jane, as-user-extra: {Some/key%: [x, 'y'], z: [w]}"), User("token: good, as-groups: [a]"), User("token: good, as-uid: '7'"),
        User("auth-provider: {name: gcp}"), User("auth-provider: {name: azure}, token: good"), User("auth-provider: {name: openstack}"),
        User("auth-provider: {name: oidc}"), User("auth-provider: {name: oidc, config: {idp-issuer-url: 'https://i', client-id: c}}"),
        User("auth-provider: {name: oidc, config: {idp-issuer-url: 'https://i', client-id: c, id-token: broken}}"),
        User($"auth-provider: {{name: oidc, config: {{idp-issuer-url: 'https://i', client-id: c, id-token: {Jwt("{\"exp\":4000000000}")}}}}}", "oidc, valid"),
        User($"auth-provider: {{name: oidc, config: {{idp-issuer-url: 'https://i', client-id: c, id-token: {Jwt("{\"exp\":1000000000}")}}}}}", "oidc, expired"),
        User(Plugin(Credential("{\"token\":\"good\"}")), "exec: a token"), User(Plugin(Credential("{\"token\":\"bad\"}")), "exec: a bad token"),
        User(Plugin(Credential("{\"token\":\"good\",\"expirationTimestamp\":\"2038-01-01T00:00:00Z\"}")), "exec: expires"),
        User(Plugin(Credential("{\"token\":\"good\",\"expirationTimestamp\":\"soon\"}")), "exec: expires at no time"),
        User(Plugin(Credential("{}")), "exec: an empty status"), User(Plugin(Credential("{\"clientKeyData\":\"x\"}")), "exec: a key alone"),
        User(Plugin(Credential("{\"clientKeyData\":\"x\",\"clientCertificateData\":\"y\"}")), "exec: a broken pair"),
        User(Plugin(Credential("{\"token\":\"good\"}", "v1beta1")), "exec: another version"), User(Plugin("good"), "exec: a bare token"),
        User(Plugin("{ }"), "exec: an empty object"), User(Plugin(""), "exec: nothing"), User(Plugin("{\\\"kind\\\":\\\"Pod\\\"}"), "exec: a pod"),
        User($"exec: {{ {V1}, command: bin/fails }}"), User($"exec: {{ {V1}, command: bin/plain }}"), User($"exec: {{ {V1}, command: bin/gone }}"),
        User($"exec: {{ {V1}, command: no-such-plugin, installHint: 'Get it from example.com' }}"), User($"exec: {{ {V1}, command: plugin }}"),
        User("exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/plugin}"), User("exec: {command: bin/plugin, interactiveMode: Never}"),
        User("exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: bin/plugin}"), User("exec: {}"), User("exec: null, token: good"),
        User("exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/plugin, interactiveMode: Sometimes}"),
        User("exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/plugin, interactiveMode: Always}"),
        User($"exec: {{ {V1}, command: bin/plugin, args: [1] }}"), User($"exec: {{ {V1}, command: bin/plugin, env: [{{value: a}}] }}"),
        User($"exec: {{ {V1}, command: no-such-plugin }}, token: good"), User($"exec: {{ {V1}, command: x }}, auth-provider: {{name: oidc}}"),
        Http("token: good"), Http("token: good, username: me"), Http("exec: {command: gone}"), Http($"exec: {{ {V1}, command: gone }}"),
        Http("auth-provider: {name: gcp}"), Http(""), Http("", "cluster: c"), Http("", "cluster: c, user: gone"), Http("token: good, as: jane"),
        Case("no user", Text(context: "cluster: c")), Case("a missing user", Text(context: "cluster: c, user: gone")),
        Case("a missing cluster", Text(context: "cluster: gone, user: u")), Case("no cluster", Text(context: "user: u")),
        Case("a namespace", Text(context: "cluster: c, user: u, namespace: n")), Case("a namespace that is a number", Text(context: "cluster: c, user: u, namespace: 1")),
        Cluster("{https}"), Cluster("{https}, certificate-authority: ca.pem"), Cluster("{https}, {ca}, certificate-authority: ca.pem"),
        Cluster("{https}, certificate-authority: gone"), Cluster("{https}, certificate-authority: key.pem"), Cluster("{https}, certificate-authority-data: aGk="),
        Cluster("{https}, certificate-authority-data: '*'"), Cluster("{https}, insecure-skip-tls-verify: true"), Cluster("{https}, insecure-skip-tls-verify: on"),
        Cluster("{https}, insecure-skip-tls-verify: 'true'"), Cluster("{https}, {ca}, insecure-skip-tls-verify: true"), Cluster("{https}, {ca}, tls-server-name: kubernetes"),
        Cluster("{https}, {ca}, tls-server-name: elsewhere"), Cluster("{any}, {ca}"), Cluster("{plain}"), Cluster("{plain}, {ca}"), Cluster("{ca}"),
        Cluster("server: 'ftp://127.0.0.1:1', {ca}"), Cluster("server: 'https://127.0.0.1:1', {ca}"), Cluster("{path}, {ca}"),
        Cluster("{https}, {ca}, proxy-url: 'http://127.0.0.1:1'"), Cluster("{https}, {ca}, proxy-url: 'socks5h://127.0.0.1:1'"), Cluster("{https}, {ca}, proxy-url: 'socks5://127.0.0.1:1'"),
        Cluster("{https}, {ca}, proxy-url: '127.0.0.1:1'"), Cluster("{https}, {ca}, proxy-url: '{proxy}'"), Cluster("{https}, {ca}, proxy-url: '{proxy-me}'"),
        Cluster("{https}, {ca}, proxy-url: '{proxy-other}'"), Cluster("{https}, {ca}, proxy-url: '{socks}'"),
        File_("a BOM", "\ufeff" + Text()), File_("CR LF", Text().Replace("\n", "\r\n", StringComparison.Ordinal)), File_("two documents", Text(more: "---\nkind: Pod\n")),
        File_("a leading ---", "---\n" + Text()), File_("an anchor", Text(more: "a: &a {b: c}\nd: *a\n")), File_("a merge key", Text("user: {<<: {token: merged, as: x}, as: jane}")), File_("merge keys", Text("user: {<<: [{token: first}, {token: second, as: x}]}")), File_("a kind twice", Text(more: "kind: Config\n")),
        File_("no kind", Text().Replace("kind: Config\n", "", StringComparison.Ordinal)), File_("a pod", Text().Replace("kind: Config", "kind: Pod", StringComparison.Ordinal)),
        File_("version 2", Text().Replace("apiVersion: v1", "apiVersion: v2", StringComparison.Ordinal)), File_("a tab", Text(more: "\ta: b\n")),
        File_("a name twice", Text(more: "- name: x\n  context: {cluster: c, user: u}\n")), File_("a name that is a number", Text(more: "- name: 1\n  context: {cluster: c, user: u}\n")),
        File_("a stale token that is a number", Text().Replace("users:", "users:\n- name: old\n  user: {token: 1}", StringComparison.Ordinal)),
        File_("a stale CA that is not PEM", Text().Replace("clusters:", "clusters:\n- name: old\n  cluster: {certificate-authority-data: aGk=}", StringComparison.Ordinal)),
        File_("JSON", """{"clusters":[{"name":"c","cluster":{"server":"{server}","certificate-authority":"ca.pem"}}],"users":[{"name":"u","user":{"token":"good"}}],"contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}]}"""),
        Variables("", files: "empty:config"), Variables("", files: "comment.yaml:config"), Variables("", files: "gone:config"), Variables("", files: ":config:"),
        Variables("", files: "config:second.yaml"), Variables("", files: "second.yaml:config"), Variables("", files: "other.yaml:config"), Variables("", files: "broken.yaml:config"),
        Variables("", files: "config:broken.yaml"), Variables("", files: "gone:gone2"), Variables("", files: "~/config"), Variables("", files: "config;other.yaml"), Variables("", files: "config:config"),
        Variables("HTTPS_PROXY=http://127.0.0.1:1"), Variables("HTTPS_PROXY=http://127.0.0.1:1", "{any}, {ca}"), Variables("https_proxy=127.0.0.1:1", "{any}, {ca}"),
        Variables("HTTPS_PROXY=http://127.0.0.1:1 NO_PROXY=10.0.0.0/8,0.0.0.0/8", "{any}, {ca}"), Variables("HTTPS_PROXY=http://127.0.0.1:1 no_proxy=*", "{any}, {ca}"),
        Variables("HTTPS_PROXY=http://127.0.0.1:1 NO_PROXY=0.0.0.0:1", "{any}, {ca}"), Variables("ALL_PROXY=http://127.0.0.1:1", "{any}, {ca}"),
        Variables("HTTP_PROXY=http://127.0.0.1:1", "{any}, {ca}"), Variables("HTTPS_PROXY={proxy-me}", "{any}, {ca}"), Variables("HTTPS_PROXY={proxy}", "{any}, {ca}"),
        Variables("HTTPS_PROXY=http://127.0.0.1:1 NO_PROXY=*", "{https}, {ca}, proxy-url: '{proxy-me}'"),
    ];

    [TestCaseSource(nameof(Cases))]
    public async Task Behaves_like_kubectl(string text, string variables, string files)
    {
        var kubectl = OutsideTool.Find("kubectl");
        var ca = Convert.ToBase64String(Encoding.ASCII.GetBytes(_authority.ExportCertificatePem()));
        string Fill(string s) => s.Replace("{https}", $"server: \"{_https.Server}\"", StringComparison.Ordinal).Replace("{http}", $"server: \"{_http.Server}\"", StringComparison.Ordinal)
            .Replace("{any}", $"server: \"{_https.Server.Replace("127.0.0.1", "0.0.0.0", StringComparison.Ordinal)}\"", StringComparison.Ordinal)
            .Replace("{plain}", $"server: \"{_http.Server["http://".Length..]}\"", StringComparison.Ordinal).Replace("{path}", $"server: \"{_https.Server}/a/b/?c=d\"", StringComparison.Ordinal)
            .Replace("{ca}", $"certificate-authority-data: {ca}", StringComparison.Ordinal).Replace("{cert}", Data("cert.pem"), StringComparison.Ordinal).Replace("{other}", Data("other.key"), StringComparison.Ordinal).Replace("{server}", _https.Server, StringComparison.Ordinal)
            .Replace("{proxy}", $"http://{_proxy.Address}", StringComparison.Ordinal).Replace("{proxy-me}", $"http://me:p%40ss@{_proxy.Address}", StringComparison.Ordinal)
            .Replace("{proxy-other}", $"http://me:wrong@{_proxy.Address}", StringComparison.Ordinal).Replace("{socks}", $"socks5://{_proxy.Address}", StringComparison.Ordinal);

        string Data(string name) => Convert.ToBase64String(File.ReadAllBytes(_scratch.File(name)));
        var config = _scratch.Write("config", Fill(text));
        _scratch.Write("second.yaml", Fill(Text("user: {token: second}")));
        var paths = files.Length == 0 ? [config] : files.Split(':').Where(f => f.Length > 0).Select(f => f[0] == '~' ? f : _scratch.File(f)).ToArray();
        var environment = new Dictionary<string, string> { ["KUBECONFIG"] = string.Join(':', paths) };
        foreach (var name in Proxies) environment[name] = "";
        foreach (var pair in Fill(variables).Split(' ', StringSplitOptions.RemoveEmptyEntries)) environment[pair.Split('=')[0]] = pair[(pair.IndexOf('=') + 1)..];

        _requests.Clear();
        var judge = OutsideTool.Run(kubectl, ["--context", "x", "--request-timeout=9s", "--cache-dir", _scratch.File("cache"), "get", "--raw", "/api/v1/namespaces/kube-system"], null, environment);
        var wanted = Sent();
        var problems = await ConnectAsync(paths, environment);
        var sent = Sent();
        if (judge.ExitCode == 0)
        {
            Assert.That(problems, Is.Empty, "kubectl accepts it");
            Assert.That(sent, Is.EqualTo(wanted), "the credentials");
            return;
        }

        TestContext.Out.WriteLine($"{judge.Error}{string.Join('\n', problems)}");
        Assert.That(problems, Is.Not.Empty, $"kubectl rejects it: {judge.Error}");
        foreach (var problem in problems)
        {
            Assert.That(problem.Id, Does.Match("^MT(02|30)"));
            Assert.That(problem.ToString(), Does.Contain(_scratch.Location).Or.Contain("~/config"), "the file");
            Assert.That(problem.ToString(), Does.Not.Contain("p%40ss").And.Not.Contain("p@ss").And.Not.Contain(_scratch.File("work")));
            if (Regex.IsMatch(problem.Id, "MT020[1-69]") || problem.Message.Contains("is not", StringComparison.Ordinal)) continue;
            Assert.That(problem.Message, Does.Contain("context 'x'").And.Match("user '|no user"), problem.ToString());
        }

        string Sent()
        {
            var last = _requests.LastOrDefault();
            _requests.Clear();
            return string.Join(' ', (last?.Headers ?? new Dictionary<string, string>())
                .Where(h => Regex.IsMatch(h.Key, "^(Authorization|Impersonate-.*)$", RegexOptions.IgnoreCase)).Select(h => $"{h.Key.ToLowerInvariant()}={h.Value}").Order(StringComparer.Ordinal));
        }
    }

    private async Task<IReadOnlyList<Problem>> ConnectAsync(string[] paths, Dictionary<string, string> environment)
    {
        var old = environment.Keys.ToDictionary(name => name, Environment.GetEnvironmentVariable);
        foreach (var (name, value) in environment) Environment.SetEnvironmentVariable(name, value);
        try
        {
            var mesh = new MeshTopology { Clusters = [new ClusterSpec { Name = ClusterName.Parse("east"), Context = "x" }] };
            await using var set = await new ExistingClusterProvider(_scratch.File("work"), paths).EnsureAsync(mesh, CancellationToken.None);
            var hasty = new ClusterApiSettings { FirstBackoff = TimeSpan.FromMilliseconds(1) };
            await ContextsCheck.RunAsync([set.Clusters[0].Access], access => KubernetesClusterApi.Connect(access, hasty), TimeProvider.System, CancellationToken.None);
            return [];
        }
        catch (MeshTrustException e)
        {
            return e.Problems;
        }
        finally
        {
            foreach (var (name, value) in old) Environment.SetEnvironmentVariable(name, value);
        }
    }
}
