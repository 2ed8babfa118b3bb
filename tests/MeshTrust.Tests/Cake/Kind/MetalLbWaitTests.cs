using System.Text.Json.Nodes;
using Cake.Frosting.MeshTrust.Kind;

namespace MeshTrust.Tests.Cake.Kind;

public sealed class MetalLbWaitTests
{
    [Test]
    public void Waits_for_nothing_if_every_part_is_ready() => Assert.That(MetalLbWait.First(MetalLbParts.Ready()), Is.Null);

    [Test]
    public void Definitions_must_exist() =>
        Expect(MetalLbParts.Ready() with { Definitions = new Dictionary<string, JsonObject?> { ["ipaddresspools.metallb.io"] = null } }, "MT4020", "the definition ipaddresspools.metallb.io: it does not exist");

    [TestCase("""{"status":{"conditions":[{"type":"Established","status":"False"}]}}""", "it is not Established")]
    [TestCase("""{}""", "it is not Established")]
    [TestCase("""{"status":{"conditions":[{"type":"NamesAccepted","status":"False","message":"\"IPAddressPool\" is taken"}]}}""", "its names are not accepted: \"IPAddressPool\" is taken")]
    public void Definitions_must_be_established(string definition, string why) =>
        Expect(MetalLbParts.Ready() with { Definitions = new Dictionary<string, JsonObject?> { ["d"] = Json(definition) } }, "MT4020", $"the definition d: {why}");

    [TestCase(null, "it does not exist")]
    [TestCase("""{"metadata":{"generation":2},"status":{"observedGeneration":1,"conditions":[{"type":"Available","status":"True"}]}}""", "it is not Available")]
    [TestCase("""{"metadata":{"generation":1},"status":{"observedGeneration":1,"conditions":[{"type":"Available","status":"False"}]}}""", "it is not Available")]
    [TestCase("""{"metadata":{"generation":1}}""", "it is not Available")]
    public void The_controller_must_be_available_in_its_current_generation(string? controller, string why) =>
        Expect(MetalLbParts.Ready() with { Controller = controller is null ? null : Json(controller) }, "MT4021", $"the deployment controller: {why}");

    [TestCase(null, "it does not exist")]
    [TestCase("""{"metadata":{"generation":2},"status":{"observedGeneration":1,"desiredNumberScheduled":1,"numberReady":1,"updatedNumberScheduled":1}}""", "its status is not up to date")]
    [TestCase("""{"metadata":{"generation":1},"status":{"observedGeneration":1,"desiredNumberScheduled":3,"numberReady":2,"updatedNumberScheduled":3}}""", "2 of 3 are ready")]
    [TestCase("""{"metadata":{"generation":1},"status":{"observedGeneration":1,"desiredNumberScheduled":3,"numberReady":3,"updatedNumberScheduled":1}}""", "1 of 3 are ready")]
    [TestCase("""{"metadata":{"generation":1},"status":{"observedGeneration":1,"desiredNumberScheduled":0}}""", "no node runs it")]
    public void Every_speaker_must_be_ready(string? speaker, string why) =>
        Expect(MetalLbParts.Ready() with { Speaker = speaker is null ? null : Json(speaker) }, "MT4022", $"the daemonset speaker: {why}");

    [TestCase("""{"webhooks":[{"name":"a","clientConfig":{"caBundle":"Y2E="}},{"name":"b","clientConfig":{"caBundle":""}},{"name":"c","clientConfig":{}}]}""", "caBundle is empty in b, c")]
    [TestCase("""{"webhooks":[]}""", "there is no webhook")]
    public void Every_webhook_must_have_its_certificate(string webhooks, string why) =>
        Expect(MetalLbParts.Ready() with { Webhooks = Json(webhooks) }, "MT4023", $"the certificate of its webhooks: {why}");

    [TestCase("""{"containerStatuses":[{"image":"quay.io/metallb/controller:v0.16.1","state":{"waiting":{"reason":"ImagePullBackOff"}}}]}""", "ImagePullBackOff of quay.io/metallb/controller:v0.16.1")]
    [TestCase("""{"containerStatuses":[{"image":"i","state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":2}}}]}""", "CrashLoopBackOff of i (exit code 2)")]
    [TestCase("""{"conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available: untolerated taint."}]}""", "Unschedulable: 0/3 nodes are available: untolerated taint")]
    public void The_pods_say_why(string status, string why)
    {
        var pod = Json($$$"""{"metadata":{"labels":{"component":"controller"}},"status":{{{status}}}}""");
        var other = Json("""{"metadata":{"labels":{"component":"speaker"}},"status":{"containerStatuses":[{"image":"s","state":{"waiting":{"reason":"ErrImagePull"}}}]}}""");

        Expect(MetalLbParts.Ready() with { Controller = Json("""{"metadata":{"generation":1}}"""), Pods = [pod, other] }, "MT4021", $"the deployment controller: it is not Available: {why}");
    }

    [Test]
    public void A_pod_that_is_only_starting_is_not_a_reason() =>
        Expect(
            MetalLbParts.Ready() with { Controller = null, Pods = [Json("""{"metadata":{"labels":{"component":"controller"}},"status":{"containerStatuses":[{"image":"i","state":{"waiting":{"reason":"ContainerCreating"}}}]}}""")] },
            "MT4021",
            "the deployment controller: it does not exist");

    [Test]
    public void Reports_what_the_webhook_depends_on()
    {
        Assert.That(MetalLbWait.Webhook(MetalLbParts.Ready()), Is.EqualTo("endpoints=1, caBundle=set, controller=Available"));
        Assert.That(MetalLbWait.Webhook(new MetalLbState()), Is.EqualTo("endpoints=0, caBundle=empty, controller=not Available"));
    }

    private static void Expect(MetalLbState state, string id, string text)
    {
        var wait = MetalLbWait.First(state);
        Assert.That((wait?.Id, wait?.ToString()), Is.EqualTo((id, text)));
    }

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();
}
