using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Kind;

public sealed class CloudProviderKindTests
{
    [Test]
    public void Accepts_a_process() => Assert.That(() => Provider(runs: true).EnsureRuns(Snapshot()), Throws.Nothing);

    [TestCase("registry.k8s.io/cloud-provider-kind/cloud-controller-manager:v0.11.1")]
    [TestCase("cloud-provider-kind")]
    [TestCase("localhost:5000/cloud-provider-kind:dev")]
    public void Accepts_a_container(string image) => Assert.That(() => Provider().EnsureRuns(Snapshot(Container(image, runs: true))), Throws.Nothing);

    [TestCase("cloud-provider-kind", false)]
    [TestCase("envoyproxy/envoy:v1.33.2", true)]
    [TestCase("example/not-cloud-provider-kind", true)]
    public void Rejects_a_stopped_or_unrelated_container(string image, bool runs) => Expect(Provider(), "MT4030", Container(image, runs));

    [Test]
    public void Says_how_to_start_one_that_is_installed() =>
        Assert.That(Expect(Provider(installed: true), "MT4031").Hint, Is.EqualTo("Start it in another terminal, then run again: cloud-provider-kind --gateway-channel=disabled."));

    private static Problem Expect(CloudProviderKind provider, string id, params EngineContainer[] containers)
    {
        var fault = Assert.Throws<MeshTrustException>(() => provider.EnsureRuns(Snapshot(containers)))!;
        Assert.That((fault.Stage, fault.Problems.Single().Id), Is.EqualTo((Stage.LoadBalancer, id)));
        return fault.Problems.Single();
    }

    private static CloudProviderKind Provider(bool installed = false, bool runs = false) => new(
        ToolContext.Of(Path.GetTempPath(), installed ? new Dictionary<string, string> { ["cloud-provider-kind"] = "/usr/local/bin/cloud-provider-kind" } : []),
        name => runs && name == "cloud-provider-kind");

    private static EngineSnapshot Snapshot(params EngineContainer[] containers) => new()
    {
        Info = new EngineInfo { Engine = ContainerEngineChoice.Docker, Version = "28.0.0", Architecture = "amd64" },
        Networks = [],
        Containers = containers,
    };

    private static EngineContainer Container(string image, bool runs) => new() { Id = "1", Name = "one", Image = image, IsRunning = runs };
}
