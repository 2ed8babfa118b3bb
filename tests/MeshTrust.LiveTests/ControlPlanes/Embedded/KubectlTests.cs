using MeshTrust.ControlPlanes.Embedded;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;
using MeshTrust.Settings;

namespace MeshTrust.Tests.ControlPlanes.Embedded;

/// <summary>What the embedded server does and a bare kube-apiserver does not; the flows that both have are in the contract.</summary>
[TestFixture, Category(OutsideTool.Category)]
public sealed class KubectlTests
{
    private ScratchDirectory _scratch = null!;
    private EmbeddedControlPlane _plane = null!;
    private Kubectl _kubectl = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _scratch = new ScratchDirectory();
        _plane = await EmbeddedControlPlane.StartAsync(new EmbeddedControlPlaneOptions { Name = ClusterName.Parse("east") }, CancellationToken.None);
        _kubectl = new Kubectl(_scratch.Write("config", _plane.KubeconfigText), _scratch.File("cache"));
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_plane is not null) await _plane.DisposeAsync();
        _scratch?.Dispose();
    }

    [Test]
    public void Deletes_a_namespace_with_all_that_is_in_it()
    {
        _kubectl.Do("create", "namespace", "label");
        _kubectl.Do("create", "configmap", "inside", "-n", "label", "--from-literal=a=b");
        _kubectl.Do("delete", "namespace", "label", "--timeout=20s");
        _kubectl.Do("create", "namespace", "label");
        Assert.That(_kubectl.Fail("get", "configmap", "inside", "-n", "label"), Does.Contain("NotFound"));
    }

    [Test]
    public void Tells_its_version() => Assert.That(_kubectl.Do("version"), Does.Contain("v1.32.0+embedded"));
}
