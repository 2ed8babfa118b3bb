using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kind;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.Kubernetes;
using MeshTrust.Tests.Contracts;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Kind;

/// <summary>
/// The MetalLB flow against a real kube-apiserver, with a real kubectl and a real webhook. No controller runs there: the test writes the status
/// that Kubernetes and MetalLB would write.
/// </summary>
[TestFixture, Category(OutsideTool.Category)]
public sealed class MetalLbOnServerTests
{
    private const string Apps = "/apis/apps/v1/namespaces/metallb-system";
    private static readonly string[] Own =
    [
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/metallb-webhook-configuration",
        "/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools/address-pool",
        "/apis/metallb.io/v1beta1/namespaces/metallb-system/l2advertisements/meshtrust",
        $"{Apps}/deployments/controller",
        $"{Apps}/daemonsets/speaker",
        "/api/v1/namespaces/metallb-system/pods/controller-1",
    ];

    private readonly ThrowawayCa _authority = ThrowawayCa.Create("webhook", TimeProvider.System.GetUtcNow());
    private readonly List<string> _steps = [];
    private ClusterAccess _access = null!;
    private RawApiClient _admin = null!;
    private ScratchDirectory _scratch = null!;
    private ScriptedApiServer _webhook = null!;
    private X509Certificate2 _certificate = null!;
    private string _kubectl = "";
    private Func<JsonNode, ScriptedAnswer> _verdict = Allow;

    [OneTimeSetUp]
    public async Task ReachTheServer()
    {
        var server = await ApiServers.GetAsync(ServerKind.Native);
        _kubectl = OutsideTool.Find("kubectl");
        _access = server.Access(server.AdministratorKubeconfig);
        _admin = new RawApiClient(ClientCredentials.Parse(server.AdministratorKubeconfig));
        var issued = _authority.IssueServer(TimeProvider.System.GetUtcNow());
        // Reloaded: on some systems an ephemeral key cannot serve TLS.
        using var pair = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        _certificate = X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
    }

    [OneTimeTearDown]
    public async Task LeaveTheServer()
    {
        if (_admin is not null)
        {
            foreach (var definition in MetalLbObjects.Definitions) await _admin.DeleteAsync($"/apis/{definition.ApiVersion}/{definition.Resource}/{definition.Name}");
        }

        _admin?.Dispose();
        _certificate?.Dispose();
        _authority.Dispose();
    }

    [SetUp]
    public async Task Clean()
    {
        foreach (var path in Own) await _admin.DeleteAsync(path);
        _scratch = new ScratchDirectory();
        _steps.Clear();
        _verdict = Allow;
        _webhook = new ScriptedApiServer(request => _verdict(JsonNode.Parse(request.Body)!), _certificate);
    }

    [TearDown]
    public async Task RemoveScratch()
    {
        if (_admin is not null)
        {
            foreach (var path in Own) await _admin.DeleteAsync(path);
        }

        if (_webhook is not null) await _webhook.DisposeAsync();
        _scratch?.Dispose();
    }

    [Test]
    public async Task Waits_for_each_part_in_order_and_then_writes_the_pool()
    {
        var running = Ensure("172.18.255.128-172.18.255.191");

        await WaitsFor("the deployment controller: it is not Available", running);
        await SetControllerAsync();
        await WaitsFor("the daemonset speaker: its status is not up to date", running);
        await SetSpeakerAsync(ready: 1);
        await WaitsFor("the daemonset speaker: 1 of 2 are ready", running);
        await SetSpeakerAsync(ready: 2);
        await WaitsFor("the certificate of its webhooks: caBundle is empty in ipaddresspoolvalidationwebhook.metallb.io", running);
        await SetBundleAsync();
        var outcome = await running;

        var pool = (await _admin.GetAsync(Own[1])).Gives(200).Json;
        var advertisement = (await _admin.GetAsync(Own[2])).Gives(200).Json;
        Assert.Multiple(() =>
        {
            Assert.That(outcome, Is.EqualTo(ApplyOutcome.Created));
            Assert.That(pool["spec"]!.ToJsonString(), Is.EqualTo("""{"addresses":["172.18.255.128-172.18.255.191"],"autoAssign":true,"avoidBuggyIPs":true}"""));
            Assert.That((string?)pool["metadata"]!["labels"]!["app.kubernetes.io/managed-by"], Is.EqualTo("meshtrust"));
            Assert.That(advertisement["spec"]!.ToJsonString(), Is.EqualTo("""{"ipAddressPools":["address-pool"]}"""));
            Assert.That(_webhook.Requests.Select(r => (bool?)JsonNode.Parse(r.Body)!["request"]!["dryRun"]), Is.EqualTo(new bool?[] { true, false }), "first a dry run, then the write");
        });
    }

    [Test]
    public async Task Changes_nothing_the_second_time()
    {
        await InstallReadyAsync();
        var before = await VersionsAsync();

        var second = await Ensure("172.18.255.128-172.18.255.191");

        Assert.That(second, Is.EqualTo(ApplyOutcome.Unchanged));
        Assert.That(await VersionsAsync(), Is.EqualTo(before));
        Assert.That(_steps, Does.Not.Contain("applying MetalLB's manifest"));
    }

    [Test]
    public async Task Reapplying_the_same_manifest_is_a_no_op()
    {
        await InstallReadyAsync();
        var before = (await _admin.GetAsync(Own[0])).Json;
        await _admin.PatchAsync("/api/v1/namespaces/metallb-system", "merge", """{"metadata":{"annotations":{"meshtrust.dev/metallb-manifest":null}}}""");

        var outcome = await Ensure("172.18.255.128-172.18.255.191");

        Assert.That(_steps, Does.Contain("applying MetalLB's manifest"));
        Assert.That(outcome, Is.EqualTo(ApplyOutcome.Changed));
        var after = (await _admin.GetAsync(Own[0])).Json;
        Assert.That(after["webhooks"]!.ToJsonString(), Is.EqualTo(before["webhooks"]!.ToJsonString()), "caBundle stays");
        Assert.That((int?)after["metadata"]!["generation"], Is.EqualTo((int?)before["metadata"]!["generation"]));
        var labels = (await _admin.GetAsync("/api/v1/namespaces/metallb-system")).Json["metadata"]!["labels"]!;
        Assert.That((string?)labels["made-by"], Is.EqualTo("small-metallb"), "the mark takes nothing of the manifest away");
    }

    [Test]
    public async Task Reports_a_changed_pool()
    {
        await InstallReadyAsync();

        var outcome = await Ensure("172.18.255.64-172.18.255.127");

        Assert.That(outcome, Is.EqualTo(ApplyOutcome.Changed));
        Assert.That((string?)(await _admin.GetAsync(Own[1])).Json["spec"]!["addresses"]![0], Is.EqualTo("172.18.255.64-172.18.255.127"));
    }

    [Test]
    public async Task Waits_for_a_webhook_that_does_not_answer_yet()
    {
        var calls = 0;
        _verdict = review => Interlocked.Increment(ref calls) < 3 ? ScriptedAnswer.Drop : Allow(review);

        await InstallReadyAsync();

        Assert.That(calls, Is.GreaterThanOrEqualTo(4), "two that failed, one dry run, one write");
        Assert.That((await _admin.GetAsync(Own[1])).Code, Is.EqualTo(200));
    }

    [Test]
    public async Task Stops_at_once_if_the_webhook_rejects_the_pool()
    {
        _verdict = review => Deny(review, "invalid CIDR \"10.0.0.0\" in pool \"address-pool\"");

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(InstallReadyAsync))!;

        Assert.That((fault.Stage, fault.Problems.Single().Id), Is.EqualTo((Stage.LoadBalancer, "MT4025")));
        Assert.That(fault.Message, Does.Contain("invalid CIDR \"10.0.0.0\""));
        Assert.That(_webhook.Requests, Has.Count.EqualTo(1));
        Assert.That((await _admin.GetAsync(Own[1])).Code, Is.EqualTo(404));
    }

    [Test]
    public async Task Says_why_the_controller_is_not_ready()
    {
        var running = Ensure("172.18.255.128-172.18.255.191", TimeSpan.FromSeconds(20));
        await WaitsFor("the deployment controller: it is not Available", running);
        (await _admin.PostAsync("/api/v1/namespaces/metallb-system/pods", JsonNode.Parse("""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"controller-1","labels":{"component":"controller"}},"spec":{"containers":[{"name":"controller","image":"registry.example/controller:v0"}]}}
            """)!)).Gives(201);
        await StatusAsync("/api/v1/namespaces/metallb-system/pods/controller-1", """{"containerStatuses":[{"name":"controller","image":"registry.example/controller:v0","imageID":"","ready":false,"restartCount":0,"state":{"waiting":{"reason":"ImagePullBackOff"}}}]}""");
        await WaitsFor("the deployment controller: it is not Available: ImagePullBackOff of registry.example/controller:v0", running);

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => running))!;

        Assert.That((fault.Stage, fault.Problems.Single().Id), Is.EqualTo((Stage.LoadBalancer, "MT4021")));
        Assert.That(fault.Message, Does.Contain("ImagePullBackOff of registry.example/controller:v0"));
    }

    [Test]
    public async Task Leaves_a_foreign_MetalLB_alone()
    {
        var theirs = _scratch.Write("theirs.yaml", SmallMetalLb.Manifest("https://their.example").Replace("registry.example/controller:v0", "registry.example/controller:v9", StringComparison.Ordinal));
        var helm = OutsideTool.Run(_kubectl, "apply", "--server-side", "--field-manager=helm", $"--kubeconfig={_access.KubeconfigPath}", $"--cache-dir={_scratch.File("cache")}", "-f", theirs);
        Assert.That(helm.ExitCode, Is.Zero, helm.ToString());

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => Ensure("172.18.255.128-172.18.255.191")))!;

        Assert.That(fault.Problems.Single().Id, Is.EqualTo("MT4016"), $"{fault.Message}, after: {string.Join("; ", _steps)}");
        Assert.That(fault.Message, Does.Contain("helm"));
        Assert.That((await _admin.GetAsync(Own[3])).Text, Does.Contain("controller:v9"));
    }

    private static ScriptedAnswer Allow(JsonNode review) => Answer(review, new JsonObject { ["allowed"] = true });

    private static ScriptedAnswer Deny(JsonNode review, string why) =>
        Answer(review, new JsonObject { ["allowed"] = false, ["status"] = new JsonObject { ["code"] = 403, ["message"] = why } });

    private static ScriptedAnswer Answer(JsonNode review, JsonObject response)
    {
        response["uid"] = (string?)review["request"]!["uid"];
        return new ScriptedAnswer(200, new JsonObject { ["apiVersion"] = "admission.k8s.io/v1", ["kind"] = "AdmissionReview", ["response"] = response }.ToJsonString());
    }

    private async Task<ApplyOutcome> Ensure(string pool, TimeSpan? limit = null)
    {
        _steps.Clear();
        var hosting = new KindSpec
        {
            LoadBalancer = new LoadBalancerSpec { Manifest = _scratch.Write("metallb.yaml", SmallMetalLb.Manifest(_webhook.Server)) },
            Timeouts = new KindTimeouts { LoadBalancer = limit ?? TimeSpan.FromMinutes(2) },
        };
        var context = ToolContext.Of(_scratch.Location, new Dictionary<string, string> { ["kubectl"] = _kubectl });
        var setup = new LoadBalancerSetup(context, hosting, _scratch.Location, access => KubernetesClusterApi.Connect(access, ClusterApiSettings.Default), TimeProvider.System) { Pause = TimeSpan.FromMilliseconds(100) };
        return await setup.EnsureAsync(_access, new ClusterAddresses { Cluster = ClusterName.Parse("east"), PodSubnets = [], ServiceSubnets = [], LoadBalancerPool = [IpRange.Parse(pool)] }, Note, default);
    }

    private void Note(string step)
    {
        lock (_steps) _steps.Add(step);
    }

    private async Task WaitsFor(string what, Task running)
    {
        await Eventually.IsTrueAsync($"the step 'waiting for MetalLB: {what}'", async () =>
        {
            if (running.IsCompleted) await running;
            lock (_steps) return _steps.Contains($"waiting for MetalLB: {what}");
        });
    }

    private async Task InstallReadyAsync()
    {
        var running = Ensure("172.18.255.128-172.18.255.191");
        await WaitsFor("the deployment controller: it is not Available", running);
        await SetControllerAsync();
        await SetSpeakerAsync(ready: 2);
        await SetBundleAsync();
        await running;
    }

    private Task SetControllerAsync() => StatusAsync($"{Apps}/deployments/controller", """{"observedGeneration":1,"conditions":[{"type":"Available","status":"True","reason":"MinimumReplicasAvailable","message":""}]}""");

    private Task SetSpeakerAsync(int ready) => StatusAsync(
        $"{Apps}/daemonsets/speaker",
        $$"""{"observedGeneration":1,"currentNumberScheduled":2,"desiredNumberScheduled":2,"numberMisscheduled":0,"numberReady":{{ready}},"updatedNumberScheduled":2}""");

    private async Task SetBundleAsync()
    {
        var bundle = Convert.ToBase64String(Encoding.ASCII.GetBytes(_authority.CertificatePem));
        (await _admin.PatchAsync(Own[0], "json", $$"""[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":"{{bundle}}"}]""", "metallb")).Gives(200);
    }

    private async Task StatusAsync(string path, string status) => (await _admin.PatchAsync($"{path}/status", "merge", $$$"""{"status":{{{status}}}}""", "controllers")).Gives(200);

    private async Task<IReadOnlyList<string>> VersionsAsync()
    {
        var versions = new List<string>();
        foreach (var path in Own.Take(5)) versions.Add($"{path} {(await _admin.GetAsync(path)).Gives(200).ResourceVersion}");
        return versions;
    }
}
