using System.Text.Json.Nodes;
using MeshTrust.Kubernetes;

namespace MeshTrust.Tests.Kubernetes;

[TestFixture]
public sealed class ClusterReadinessTests
{
    private MemoryClusterApi _api = null!;

    [SetUp]
    public void Begin() => _api = new MemoryClusterApi("east");

    [TearDown]
    public void End() => _api?.Dispose();

    [Test]
    public async Task Reports_what_is_missing_first()
    {
        Assert.That(await MissingAsync(), Is.EqualTo("node east-control-plane to join"));
        Node("east-control-plane", "False", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin\nnot initialized");
        Assert.That(await MissingAsync(), Is.EqualTo("node east-worker to join"));
        Node("east-worker", "Unknown", "");
        Assert.That(await MissingAsync(), Is.EqualTo("node east-control-plane to be Ready (cni plugin not initialized)"));
        Node("east-control-plane", "True", "");
        Assert.That(await MissingAsync(), Is.EqualTo("node east-worker to be Ready"));
        Node("east-worker", "True", "");
        Assert.That(await MissingAsync(), Is.EqualTo("the ServiceAccount of the namespace default"));
        _api.Objects[new ObjectReference("v1", "serviceaccounts", "default", "default")] = [];
        Assert.That(await MissingAsync(), Is.Null);
        _api.Faults["readyz"] = new Problem("MT3002", "east", "Connection refused.", "Start it.");
        Assert.That(await MissingAsync(), Is.EqualTo("the API server (Connection refused)"));
    }

    [Test]
    public async Task Reads_the_nodes_pod_ranges_and_version()
    {
        Node("east-control-plane", "True", "");
        var node = (await ClusterReadiness.ReadAsync(_api, default)).Nodes.Single();

        Assert.That((node.PodRanges.Select(range => range.ToString()), node.KubeletVersion), Is.EqualTo(((IEnumerable<string>)["10.10.0.0/24", "fd00:10::/64"], "v1.35.0")));
    }

    private async Task<string?> MissingAsync() => (await ClusterReadiness.ReadAsync(_api, default)).Missing(["east-control-plane", "east-worker"])?.ToString();

    private void Node(string name, string ready, string message) => _api.Objects[new ObjectReference("v1", "nodes", null, name)] = new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject { ["podCIDRs"] = new JsonArray("10.10.0.0/24", "fd00:10::/64") },
        ["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready, ["message"] = message }),
            ["nodeInfo"] = new JsonObject { ["kubeletVersion"] = "v1.35.0" },
        },
    };
}
