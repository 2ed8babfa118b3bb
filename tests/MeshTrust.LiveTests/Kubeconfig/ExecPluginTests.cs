using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;
using MeshTrust.Tests.Contracts;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;
using Microsoft.Extensions.Time.Testing;

namespace MeshTrust.Tests.Kubeconfig;

/// <summary>Credential commands, as client-go calls them.</summary>
[TestFixture]
[Platform(Exclude = "Win", Reason = "credential commands are shell scripts"), System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ExecPluginTests
{
    private const string Output = """printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' good""";

    private ScratchDirectory _scratch = null!;
    private System.Security.Cryptography.X509Certificates.X509Certificate2 _authority = null!;
    private ScriptedApiServer _server = null!;
    private Func<ScriptedRequest, bool> _accepts = _ => true;

    [SetUp]
    public void Begin()
    {
        _scratch = new ScratchDirectory();
        _authority = KubectlAgreesTests.Authority();
        _accepts = r => r.Headers.GetValueOrDefault("Authorization") == "Bearer good";
        _server = new ScriptedApiServer(
            r => _accepts(r) ? new ScriptedAnswer(200, """{"gitVersion":"v1.34.0","metadata":{"name":"kube-system"}}""")
                : ScriptedAnswer.Refuse(401, "Unauthorized", "Unauthorized"),
            KubectlAgreesTests.Leaf(_authority));
    }

    [TearDown]
    public async Task End()
    {
        if (_server is not null) await _server.DisposeAsync();
        _authority?.Dispose();
        _scratch?.Dispose();
    }

    private string Config(string body, string exec = "", string cluster = "", string user = "")
    {
        var plugin = _scratch.Write("plugin", "#!/bin/sh\ncd \"$(dirname \"$0\")\"\n" + body + "\n");
        File.SetUnixFileMode(plugin, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var ca = Convert.ToBase64String(Encoding.ASCII.GetBytes(_authority.ExportCertificatePem()));
        return _scratch.Write("config", $$"""
            clusters:
            - name: c
              cluster: {server: "{{_server.Server}}", certificate-authority-data: {{ca}}{{cluster}} }
            users:
            - name: u
              user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin{{(exec.Contains("interactiveMode", StringComparison.Ordinal) ? "" : ", interactiveMode: Never")}}{{exec}} } {{user}} }
            contexts:
            - name: x
              context: {cluster: c, user: u}
            - name: second
              context: {cluster: c, user: u}
            """);
    }

    private async Task<IReadOnlyList<ClusterAccess>> AccessAsync(string config)
    {
        ClusterSpec[] clusters = [new() { Name = ClusterName.Parse("east"), Context = "x" }, new() { Name = ClusterName.Parse("west"), Context = "second" }];
        await using var set = await new ExistingClusterProvider(_scratch.File("work"), [config]).EnsureAsync(new MeshTopology { Clusters = clusters }, CancellationToken.None);
        return [.. set.Clusters.Select(c => c.Access)];
    }

    private async Task<string> VersionAsync(string config, ClusterApiSettings? settings = null, CancellationToken cancellationToken = default)
    {
        using var api = KubernetesClusterApi.Connect((await AccessAsync(config))[0], settings ?? ClusterApiSettings.Default);
        return await api.GetVersionAsync(cancellationToken);
    }

    private int Calls => File.Exists(_scratch.File("calls")) ? File.ReadAllLines(_scratch.File("calls")).Length : 0;

    [Test, Category(OutsideTool.Category)]
    public async Task The_command_gets_the_same_arguments_variables_and_cluster_info_as_from_kubectl([Values] bool isVerified)
    {
        var kubectl = OutsideTool.Find("kubectl");
        var config = Config("""for a in "$@"; do printf '[%s]' "$a"; done > args; printf '%s' "$KUBERNETES_EXEC_INFO" > info; printf '%s' "$ONE" > variable; """ + Output,
            """, args: ["a b", "it's \"quoted\"", "{\"x\": 1}", "", "$HOME"], env: [{name: ONE, value: "1 2"}], provideClusterInfo: true""",
            isVerified ? ", tls-server-name: localhost, extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x, count: 1, deep: [true, null]}}]" : ", disable-compression: true");
        OutsideTool.Run(kubectl, ["--kubeconfig", config, "--context", "x", "get", "--raw", "/version"], null, null);
        var wanted = Read();
        await VersionAsync(config);
        var given = Read();
        Assert.That(given.Args, Is.EqualTo("[a b][it's \"quoted\"][{\"x\": 1}][][$HOME]").And.EqualTo(wanted.Args));
        Assert.That(given.Variable, Is.EqualTo("1 2"));
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(given.Info), JsonNode.Parse(wanted.Info)), $"{given.Info}\n{wanted.Info}");

        (string Args, string Info, string Variable) Read()
        {
            var read = (File.ReadAllText(_scratch.File("args")), File.ReadAllText(_scratch.File("info")), File.ReadAllText(_scratch.File("variable")));
            File.Delete(_scratch.File("args"));
            return read;
        }
    }

    [Test]
    public async Task One_call_serves_every_cluster_of_the_user_until_the_token_expires()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var config = Config("echo call >> calls; " + Output.Replace("\"%s\"", $"\"%s\",\"expirationTimestamp\":\"{time.GetUtcNow().AddMinutes(14):yyyy-MM-dd'T'HH:mm:ss'Z'}\"", StringComparison.Ordinal));
        using var connections = new ClusterConnections(ClusterApiSettings.Default with { Time = time });
        var clusters = await AccessAsync(config);
        for (var i = 0; i < 3; i++)
            await ContextsCheckAsync();
        Assert.That(Calls, Is.EqualTo(1));
        time.Advance(TimeSpan.FromMinutes(15));
        await ContextsCheckAsync();
        Assert.That(Calls, Is.InRange(2, 20), "the token expired, and the command returns no newer one");

        Task ContextsCheckAsync() => Task.WhenAll(clusters.Select(c => connections.Open(c, Stage.Contexts).GetVersionAsync(CancellationToken.None)));
    }

    [Test]
    public async Task A_rejected_token_leads_to_one_more_call()
    {
        var config = Config("echo call >> calls; " + Output.Replace("good", "\"$(wc -l < calls | tr -d ' ')\"", StringComparison.Ordinal));
        _accepts = r => r.Headers.GetValueOrDefault("Authorization") == "Bearer 2";
        Assert.That(await VersionAsync(config), Is.EqualTo("v1.34.0"));
        Assert.That(Calls, Is.EqualTo(2));

        _accepts = _ => false;
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => VersionAsync(config)))!.Problems.Single();
        Assert.That((problem.Id, Calls), Is.EqualTo(("MT3006", 3)));
        Assert.That(problem.Message, Does.Contain($"context 'x' of {config}, user 'u'"));
    }

    [Test]
    public async Task A_hanging_command_ends_with_its_children_at_its_own_deadline([Values] bool isCancelled)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var cancel = new CancellationTokenSource();
        var config = Config("sleep 301 & echo $! > child; wait");
        var waiting = VersionAsync(config, ClusterApiSettings.Default with { Time = time }, cancel.Token);
        var child = await EventuallyAsync(() => File.Exists(_scratch.File("child")) && int.TryParse(File.ReadAllText(_scratch.File("child")), out var id) ? id : 0);
        if (isCancelled)
        {
            await cancel.CancelAsync();
            await Assert.ThatAsync(() => waiting, Throws.InstanceOf<OperationCanceledException>());
        }
        else
        {
            time.Advance(TimeSpan.FromSeconds(61));
            var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => waiting))!.Problems.Single();
            Assert.That(problem.ToString(), Does.StartWith($"MT3018 {config}:").And.Contain("plugin' of the user 'u' did not end in 60 s").And.Contain("context 'x'"));
        }

        await EventuallyAsync(() => File.Exists($"/proc/{child}/stat") && !File.ReadAllText($"/proc/{child}/stat").Contains(") Z ", StringComparison.Ordinal) ? 0 : 1);
    }

    [TestCase("Never", true, false)]
    [TestCase("IfAvailable", true, true)]
    [TestCase("IfAvailable", false, false)]
    [TestCase("Always", true, true)]
    public async Task Only_a_command_that_may_prompt_gets_the_terminal(string mode, bool hasTerminal, bool isInteractive)
    {
        var config = Config("printf '%s' \"$KUBERNETES_EXEC_INFO\" > info; " + Output, $", interactiveMode: {mode}");
        var pauses = 0;
        Func<CancellationToken, Task<IDisposable>> pause = _ =>
        {
            pauses++;
            return Task.FromResult<IDisposable>(new StringReader(""));
        };
        await VersionAsync(config, ClusterApiSettings.Default with { Prompt = hasTerminal ? pause : null });
        Assert.That(pauses, Is.EqualTo(isInteractive ? 1 : 0));
        Assert.That((bool)JsonNode.Parse(File.ReadAllText(_scratch.File("info")))!["spec"]!["interactive"]!, Is.EqualTo(isInteractive));
    }

    [TestCase("exit 3", "failed with exit code 3")]
    [TestCase("echo 'token expired, run: login' >&2; exit 1", "failed with exit code 1: token expired, run: login")]
    [TestCase("true", "returned nothing")]
    [TestCase("echo hello", "not JSON")]
    [TestCase("echo '{}'", "not JSON")]
    [TestCase("echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{}}'", "neither a token nor a certificate")]
    [TestCase("echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"status\":{\"token\":\"t\"}}'", "instead of client.authentication.k8s.io/v1")]
    public async Task Each_failure_has_its_own_message(string body, string words)
    {
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => VersionAsync(Config(body))))!.Problems.Single();
        Assert.That(problem.ToString(), Does.StartWith($"MT3016 {_scratch.File("config")}:").And.Contain(words).And.Contain("context 'x', user 'u'"));
    }

    [Test]
    public async Task A_command_may_return_a_client_certificate()
    {
        await using var server = await EmbeddedApiServer.StartAsync();
        var admin = ClientCredentials.Parse(server.AdministratorKubeconfig);
        var status = new JsonObject { ["clientCertificateData"] = admin.CertificatePem, ["clientKeyData"] = admin.KeyPem };
        _scratch.Write("answer", new JsonObject { ["kind"] = "ExecCredential", ["apiVersion"] = "client.authentication.k8s.io/v1", ["status"] = status }.ToJsonString());
        var config = Config("cat answer");
        var text = File.ReadAllText(config).Replace(_server.Server, server.Server.AbsoluteUri, StringComparison.Ordinal)
            .Replace(Convert.ToBase64String(Encoding.ASCII.GetBytes(_authority.ExportCertificatePem())), Convert.ToBase64String(Encoding.ASCII.GetBytes(admin.AuthorityPem)), StringComparison.Ordinal);
        _scratch.Write("config", text);
        using var api = KubernetesClusterApi.Connect((await AccessAsync(config))[0], ClusterApiSettings.Default);
        Assert.That((await api.ListNamespacesAsync(CancellationToken.None)).Select(n => n.Name), Does.Contain("kube-system"));
    }

    private static async Task<int> EventuallyAsync(Func<int> read)
    {
        for (var i = 0; i < 600; i++)
        {
            if (read() is var value and not 0) return value;
            await Task.Delay(50);
        }

        Assert.Fail("It did not happen within 30 s.");
        return 0;
    }
}
