using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.Kubeconfig;
using MeshTrust.Tests.Live;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Kind;

[Platform(Exclude = "Win", Reason = "The pretended kubectl is a shell script.")]
public sealed class KubectlToolTests
{
    private ScratchDirectory _scratch = null!;
    private ClusterAccess _access = null!;

    [SetUp]
    public void CreateScratch()
    {
        _scratch = new ScratchDirectory();
        _access = new ClusterAccess { Name = ClusterName.Parse("east"), KubeconfigPath = _scratch.File("kube config"), ContextName = "kind-east" };
    }

    [TearDown]
    public void RemoveScratch() => _scratch?.Dispose();

    [Test]
    public async Task Passes_kubeconfig_context_and_cache_in_every_call()
    {
        var kubectl = new FakeKubectl(_scratch, "echo said; echo wrong >&2; exit 3");

        var result = await Tool(kubectl.Path).ApplyAsync(_access, "/some where/metallb.yaml", "manager", default);

        Assert.Multiple(() =>
        {
            Assert.That((result.ExitCode, result.Output, result.Error), Is.EqualTo((3, "said\n", "wrong\n")));
            Assert.That(kubectl.Asked, Is.EquivalentTo(new[]
            {
                "apply", "--server-side", "--field-manager", "manager", "--filename", "/some where/metallb.yaml",
                $"--kubeconfig={_access.KubeconfigPath}", "--context=kind-east", $"--cache-dir={_scratch.File("cache")}", $"KUBECONFIG={_access.KubeconfigPath}",
            }));
            Assert.That(kubectl.Asked[0], Is.EqualTo("apply"));
        });
    }

    [Test]
    public async Task Ends_kubectl_when_the_token_is_cancelled()
    {
        var kubectl = new FakeKubectl(_scratch, $"echo $$ > '{_scratch.File("pid")}'; exec sleep 600");
        using var cancellation = new CancellationTokenSource();

        var running = Tool(kubectl.Path).ApplyAsync(_access, "m.yaml", "manager", cancellation.Token);
        await Contracts.Eventually.IsTrueAsync("kubectl runs", () => Task.FromResult(File.Exists(_scratch.File("pid")) && File.ReadAllText(_scratch.File("pid")).Trim().Length > 0));
        await cancellation.CancelAsync();

        Assert.That(async () => await running, Throws.InstanceOf<OperationCanceledException>());
        var id = int.Parse(await File.ReadAllTextAsync(_scratch.File("pid")), System.Globalization.CultureInfo.InvariantCulture);
        Assert.That(() => System.Diagnostics.Process.GetProcessById(id), Throws.ArgumentException, "the process is gone");
    }

    [Test]
    public async Task Says_what_to_do_if_kubectl_is_missing()
    {
        var tool = new KubectlTool(ToolContext.Of(_scratch.Location, new Dictionary<string, string>()), _scratch.File("cache"));

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => tool.ApplyAsync(_access, "m.yaml", "manager", default)))!;

        Assert.That((tool.IsThere, fault.Stage, fault.Problems.Single().Id), Is.EqualTo((false, Stage.LoadBalancer, "MT4010")));
    }

    private KubectlTool Tool(string path) => new(ToolContext.Of(_scratch.Location, new Dictionary<string, string> { ["kubectl"] = path }), _scratch.File("cache"));
}
