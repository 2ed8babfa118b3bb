using MeshTrust.ControlPlanes.Embedded;
using MeshTrust.Tests.Tools;
using MeshTrust.Topology;

namespace MeshTrust.Tests.ControlPlanes.Embedded;

/// <summary>kubectl as a judge from outside: what it does with a real server it must do with the embedded one.</summary>
[TestFixture]
public sealed class KubectlTests
{
    private string _directory = string.Empty;
    private EmbeddedControlPlane _plane = null!;
    private string _kubectl = string.Empty;

    [OneTimeSetUp]
    public async Task Start()
    {
        _kubectl = OutsideTool.Find("kubectl");
        _directory = Directory.CreateTempSubdirectory("meshtrust-kubectl").FullName;
        _plane = await EmbeddedControlPlane.StartAsync(new EmbeddedControlPlaneOptions { Name = ClusterName.Parse("east") }, CancellationToken.None);
        await File.WriteAllTextAsync(Config, _plane.KubeconfigText);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_plane is not null) await _plane.DisposeAsync();
        if (_directory.Length > 0) Directory.Delete(_directory, true);
    }

    [Test]
    public void Creates_a_namespace_and_a_secret_from_files_and_reads_identical_bytes()
    {
        var file = Path.Combine(_directory, "ca-cert.pem");
        byte[] content = [0, 1, 2, 255, 10, 13, 45];
        File.WriteAllBytes(file, content);
        Kubectl("create", "namespace", "files");
        Kubectl("create", "secret", "generic", "cacerts", "-n", "files", $"--from-file={file}");
        var text = Kubectl("get", "secret", "cacerts", "-n", "files", "-o", "jsonpath={.data.ca-cert\\.pem}");
        Assert.That(Convert.FromBase64String(text), Is.EqualTo(content));
        Assert.That(Kubectl("get", "secrets", "-n", "files"), Does.Match(@"NAME +TYPE +DATA +AGE\ncacerts +Opaque +1 "));
        Assert.That(Kubectl("get", "secret", "cacerts", "-n", "files", "-o", "yaml"), Does.Contain("kind: Secret"));
    }

    [Test]
    public void Applies_from_the_client_then_from_the_server_then_diffs_and_deletes()
    {
        Kubectl("create", "namespace", "apply");
        var first = Manifest("apply", "one");
        Assert.That(Kubectl("apply", "-f", first), Does.Contain("created"));
        Assert.That(Kubectl("apply", "-f", first), Does.Contain("unchanged"));
        var second = Manifest("apply", "two");
        Assert.That(Run("diff", "-f", second).ExitCode, Is.EqualTo(1));
        Assert.That(Kubectl("apply", "-f", second), Does.Contain("configured"));
        var third = Manifest("apply", "three");
        Assert.That(Kubectl("apply", "--server-side", "-f", third), Does.Contain("serverside-applied"));
        Assert.That(Kubectl("get", "configmap", "settings", "-n", "apply", "-o", "jsonpath={.data.value}").Trim(), Is.EqualTo("three"));
        Assert.That(Run("diff", "-f", third, "--server-side").ExitCode, Is.Zero);
        Assert.That(Kubectl("delete", "-f", third), Does.Contain("deleted"));
        Assert.That(Run("get", "configmap", "settings", "-n", "apply").Error, Does.Contain("NotFound"));
    }

    [Test]
    public void Labels_and_deletes_a_namespace_with_all_that_is_in_it()
    {
        Kubectl("create", "namespace", "label");
        Kubectl("create", "configmap", "inside", "-n", "label", "--from-literal=a=b");
        Kubectl("label", "namespace", "label", "topology.istio.io/network=network1");
        Assert.That(Kubectl("get", "namespace", "label", "--show-labels"), Does.Contain("topology.istio.io/network=network1"));
        Kubectl("delete", "namespace", "label", "--timeout=20s");
        Kubectl("create", "namespace", "label");
        Assert.That(Run("get", "configmap", "inside", "-n", "label").Error, Does.Contain("NotFound"));
    }

    [Test]
    public void Tells_version_and_rights()
    {
        Assert.That(Kubectl("version"), Does.Contain("v1.32.0+embedded"));
        Assert.That(Kubectl("auth", "can-i", "create", "secrets", "-n", "default").Trim(), Is.EqualTo("yes"));
    }

    private string Config => Path.Combine(_directory, "config");

    private string Manifest(string space, string value)
    {
        var path = Path.Combine(_directory, $"{space}-{value}.yaml");
        File.WriteAllText(path, $"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: {space}\ndata:\n  value: {value}\n");
        return path;
    }

    private string Kubectl(params string[] arguments)
    {
        var (code, output, error) = Run(arguments);
        Assert.That(code, Is.Zero, $"kubectl {string.Join(' ', arguments)}: {error}");
        return output;
    }

    private (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        var result = OutsideTool.Run(_kubectl, ["--kubeconfig", Config, "--cache-dir", Path.Combine(_directory, "cache"), .. arguments]);
        return (result.ExitCode, result.Output, result.Error);
    }
}
