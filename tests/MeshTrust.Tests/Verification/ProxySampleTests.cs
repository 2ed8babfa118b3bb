using System.Net.WebSockets;
using MeshTrust.Checks;
using MeshTrust.Kubernetes;
using MeshTrust.Reporting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace MeshTrust.Tests.Verification;

/// <summary>MT5016: what the proxies of workloads hold, read from an admin port in Envoy's form.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class ProxySampleTests
{
    [Test]
    public async Task Sidecars_and_gateways_that_hold_what_they_should_pass()
    {
        await using var mesh = new RunningMesh();
        var (east, west) = (await mesh.AddAsync("east"), await mesh.AddAsync("west"));
        FakeEnvoy[] read =
        [
            new FakeEnvoy { Pod = "web-1" }.In(east), new FakeEnvoy { Pod = "native-1", Containers = "initContainers" }.In(east),
            new FakeEnvoy { Namespace = "ingress", Pod = "gateway-1", Signer = CraftedMesh.Intermediate(RunningMesh.Root, "west") }.In(west),
        ];
        FakeEnvoy[] other =
        [
            new FakeEnvoy { Pod = "ztunnel-1" }.In(east, app: "ztunnel"), new FakeEnvoy { Pod = "job-1" }.In(east, phase: "Succeeded"), new FakeEnvoy { Pod = "plain-1" }.In(east, container: "other"),
        ];
        var report = await mesh.VerifyAsync();

        Assert.That(Check(report), Has.Property("Outcome").EqualTo(CheckOutcome.Passed).And.Property("Note").StartsWith("proxies read: 3,"));
        Assert.That(read.Select(e => e.Asked), Is.All.EqualTo("GET /config_dump?resource=dynamic_active_secrets HTTP/1.1"));
        Assert.That(other.Select(e => e.Asked), Is.All.Null);
    }

    [Test]
    public async Task Names_the_proxies_without_a_root_that_istiod_publishes()
    {
        await using var mesh = new RunningMesh();
        var (east, added) = (await mesh.AddAsync("east"), CraftedCertificate.Root());
        var files = CraftedMesh.Files4(RunningMesh.Root, CraftedMesh.Intermediate(RunningMesh.Root, "east"));
        files["root-cert.pem"] += added.Pem;
        east.Secrets["istio-system/cacerts"] = CraftedMesh.Secret("cacerts", files);
        for (var i = 1; i <= 6; i++) new FakeEnvoy { Pod = $"web-{i}", Age = 9 - i }.In(east);
        new FakeEnvoy { Pod = "new-1", Roots = RunningMesh.Root.Pem + added.Pem }.In(east);
        Assert.That(Check(await mesh.VerifyAsync()).Outcome, Is.EqualTo(CheckOutcome.Passed), "istiod does not publish it yet");

        east.ConfigMaps["istio-system/istio-ca-root-cert"] = CraftedMesh.Roots("istio-system", files["root-cert.pem"]);
        var found = Check(await mesh.VerifyAsync()).Findings.Single();
        Assert.That((found.Id, found.Severity, found.Location), Is.EqualTo(("MT5016", Severity.Warning, "east")));
        Assert.That(found.Message, Is.EqualTo($"6 of 7 proxies read in 'east' do not trust the root {added.Document.Sha256[..16]} (O=Istio, CN=Root CA): shop/web-1, shop/web-2, shop/web-3, shop/web-4, shop/web-5 and 1 more."));
        Assert.That(found.Hint, Does.EndWith("kubectl --context east -n shop rollout restart deployment/web"));
    }

    [Test]
    public async Task Names_the_proxies_whose_certificates_a_cluster_rejects()
    {
        await using var mesh = new RunningMesh();
        var (east, west) = (await mesh.AddAsync("east"), await mesh.AddAsync("west"));
        new FakeEnvoy { Pod = "web-1" }.In(east);
        new FakeEnvoy { Pod = "old-1", LeafEnds = DateTimeOffset.UtcNow.AddHours(-1) }.In(east);
        var other = CraftedCertificate.Root();
        new FakeEnvoy { Pod = "other-1", Roots = RunningMesh.Root.Pem + other.Pem, Signer = CraftedMesh.Intermediate(other, "west") }.In(west);
        var found = Check(await mesh.VerifyAsync()).Findings;

        Assert.That(found.Select(f => (f.Severity, f.Location)), Is.EqualTo(new[] { (Severity.Warning, "east"), (Severity.Warning, "west") }), string.Join('\n', found));
        Assert.That(found[0].Message, Does.Contain("1 of 2 proxies").And.Contain("shop/old-1").And.Contain("expired").And.Not.Contain("web-1"));
        Assert.That(found[1].Message, Does.Contain("1 of 1 proxies").And.Contain("shop/other-1: in 'east', the signature"));
    }

    [TestCase(null, "did not answer within")]
    [TestCase("", "did not answer on port 15000")]
    [TestCase("no JSON", "certificates ROOTCA and default")]
    [TestCase("[]", "certificates ROOTCA and default")]
    [TestCase("{}", "certificates ROOTCA and default")]
    [TestCase("""{"configs":[{}]}""", "certificates ROOTCA and default")]
    [TestCase("""{"configs":[{"name":"ROOTCA","secret":{"validation_context":{"trusted_ca":{"inline_bytes":"?"}}}}]}""", "certificates ROOTCA and default")]
    [TestCase("""{"configs":[{"name":"ROOTCA","secret":{"validation_context":{"trusted_ca":{"filename":"/etc/ca.pem"}}}}]}""", "certificates ROOTCA and default")]
    [TestCase("oversize", "larger than 8 MiB")]
    public async Task A_proxy_that_cannot_be_read_never_passes(string? body, string why)
    {
        await using var mesh = new RunningMesh { Patience = TimeSpan.FromSeconds(body is null ? 3 : 30) };
        var api = await mesh.AddAsync("east");
        new FakeEnvoy { Pod = "web-1", Body = () => body == "oversize" ? new string(' ', (8 << 20) + 1) : body }.In(api);
        var check = Check(await mesh.VerifyAsync());

        Assert.That((check.Outcome, check.Findings.Count), Is.EqualTo((CheckOutcome.NotApplicable, 0)));
        Assert.That(check.Note, Does.StartWith("1 of 1 proxies could not be read, such as shop/web-1: ").And.Contain(why));

        new FakeEnvoy { Pod = "web-2" }.In(api);
        check = Check(await mesh.VerifyAsync());
        Assert.That((check.Outcome, check.Unchecked.Single().Cluster), Is.EqualTo((CheckOutcome.Passed, "east")), "the other is checked, and the report says what was not");
        Assert.That(check.Unchecked[0].Reason, Does.StartWith("1 of 2 proxies could not be read").And.Contain(why));
    }

    [TestCase("list pods", "You may not. Ask")]
    [TestCase("forward web-1", "You may not. Ask")]
    [TestCase(null, "(ztunnel is not read)")]
    public async Task Without_the_rights_or_without_pods_it_does_not_apply(string? call, string why)
    {
        await using var mesh = new RunningMesh();
        var api = await mesh.AddAsync("east");
        if (call is not null)
        {
            new FakeEnvoy { Pod = "web-1" }.In(api);
            api.Faults[call] = new Problem("MT3007", "east", "You may not.", "Ask.");
        }

        var check = Check(await mesh.VerifyAsync());
        Assert.That((check.Outcome, check.Findings.Count), Is.EqualTo((CheckOutcome.NotApplicable, 0)));
        Assert.That(check.Note, Does.EndWith(why));
    }

    [Test]
    public async Task The_sample_is_bounded_and_has_the_oldest_pods_of_every_namespace()
    {
        await using var mesh = new RunningMesh();
        var api = await mesh.AddAsync("east");
        var large = Enumerable.Range(1, 30).Select(i => new FakeEnvoy { Namespace = "large", Pod = $"large-{i}", Age = i }.In(api)).ToList();
        var small = new FakeEnvoy { Namespace = "small", Pod = "small-1", Age = 0 }.In(api);
        await mesh.VerifyAsync();

        Assert.That(large.Where(e => e.Asked is not null).Select(e => e.Age), Is.EqualTo(Enumerable.Range(12, 19)));
        Assert.That(small.Asked, Is.Not.Null);
    }

    [Test]
    public async Task Nothing_but_certificates_of_an_answer_is_kept()
    {
        await using var mesh = new RunningMesh();
        var api = await mesh.AddAsync("east");
        var envoy = new FakeEnvoy { Pod = "web-2" };
        new FakeEnvoy { Pod = "web-1", Body = () => envoy.Secrets("c2VjcmV0S0VZ") }.In(api);
        new FakeEnvoy { Pod = "web-3", Status = "503 secretKEY", Body = () => "secretKEY" }.In(api);
        var report = await mesh.VerifyAsync();

        Assert.That(Check(report).Unchecked.Single().Reason, Does.EndWith("Its Envoy answered with status 503"));
        Assert.That(JsonReport.Render(report), Does.Not.Contain("secretKEY").And.Not.Contain("c2VjcmV0S0VZ"));
    }

    /// <summary>HTTP/1.1 through the messages of a port-forward; a pod that does not listen answers in the channel of errors.</summary>
    [Test]
    public async Task Envoy_is_read_through_a_port_forward([Values] bool listens)
    {
        await using var mesh = new RunningMesh();
        var api = await mesh.AddAsync("east");
        new FakeEnvoy { Pod = "web-1" }.In(api);
        var direct = api.Forward!;
        await using var kubelet = await ForwardAsync(listens ? ct => direct("web-1", ct) : null);
        using var client = new HttpMessageInvoker(new SocketsHttpHandler());
        var address = new UriBuilder(kubelet.Urls.Single()) { Scheme = "ws" }.Uri;
        api.Forward = async (pod, ct) => pod == "web-1" ? (await ForwardedPort.OpenAsync(address, client, null, [], ct)).Port! : await direct(pod, ct);
        var check = Check(await mesh.VerifyAsync());

        Assert.That((check.Outcome, check.Note), Is.EqualTo(listens ? (CheckOutcome.Passed, "proxies read: 1, at most 20 a cluster")
            : (CheckOutcome.NotApplicable, "1 of 1 proxies could not be read, such as shop/web-1: Its Envoy did not answer on port 15000")));
    }

    /// <summary>Forwards as a kubelet does (kubelet's portforward/websocket.go).</summary>
    private static async Task<WebApplication> ForwardAsync(Func<CancellationToken, Task<Stream>>? connect)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UseWebSockets();
        app.Run(async context =>
        {
            var ct = context.RequestAborted;
            using var socket = await context.WebSockets.AcceptWebSocketAsync("v4.channel.k8s.io");
            foreach (var channel in new byte[] { 0, 1 }) await SendAsync([channel, 15000 & 0xff, 15000 >> 8]);
            if (connect is null)
            {
                await SendAsync([1, .. "connection refused"u8]);
                return;
            }

            await using var pod = await connect(ct);
            var buffer = new byte[1000];
            var answer = Task.Run(async () =>
            {
                var part = new byte[700];
                for (int count; (count = await pod.ReadAsync(part, ct)) > 0;) await SendAsync([0, .. part[..count]]);
            }, ct);
            while (await socket.ReceiveAsync(buffer.AsMemory(), ct) is { MessageType: WebSocketMessageType.Binary } message) await pod.WriteAsync(buffer.AsMemory(1, message.Count - 1), ct);
            await answer;

            async Task SendAsync(byte[] message) => await socket.SendAsync(message, WebSocketMessageType.Binary, true, ct);
        });
        await app.StartAsync();
        return app;
    }

    private static CheckReport Check(TrustReport report) => report.Checks.Single(c => c.Id == "MT5016");
}
