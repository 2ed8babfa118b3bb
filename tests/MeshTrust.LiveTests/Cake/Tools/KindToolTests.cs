using MeshTrust.IO;
using Cake.Frosting.MeshTrust.Tools;

using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Tools;

[TestFixture]
public sealed class KindToolTests
{
    // What kind 0.27 prints if its standard error is not a terminal.
    private const string Says = """
        cat >&2 <<'END'
        Creating cluster "east" ...
         • Ensuring node image (kindest/node:v1.35.0) 🖼  ...
         ✓ Ensuring node image (kindest/node:v1.35.0) 🖼
         • Preparing nodes 📦 📦   ...
         ✓ Preparing nodes 📦 📦 
         • Starting control-plane 🕹️  ...
        END
        """;

    private FakeTools _tools = null!;

    [SetUp]
    public void CreateTools() => _tools = new FakeTools();

    [TearDown]
    public void RemoveTools() => _tools?.Dispose();

    [Test]
    public async Task Creates_a_cluster_and_reports_each_step_as_it_starts()
    {
        _tools.Program("kind", $"echo \"$*\" >arguments; env >variables\n{Says}").With("KUBECONFIG", "/home/user/.kube/config");
        var steps = new List<string>();

        await Kind(ContainerEngineChoice.Podman, "mesh").CreateAsync("east", "/w/east.yaml", "kindest/node:v1.35.0", "/w/east", steps.Add, TimeSpan.FromMinutes(1), CancellationToken.None);

        Assert.Multiple(() =>
        {
            Assert.That(_tools.Read("arguments"), Is.EqualTo("create cluster --name east --config /w/east.yaml --image kindest/node:v1.35.0 --kubeconfig /w/east --wait 0s --retain\n"));
            Assert.That(_tools.Read("variables").Split('\n'), Is.SupersetOf(new[] { "KIND_EXPERIMENTAL_PROVIDER=podman", "KIND_EXPERIMENTAL_DOCKER_NETWORK=mesh", "KIND_EXPERIMENTAL_PODMAN_NETWORK=mesh", "KUBECONFIG=/dev/null" }));
            Assert.That(steps, Is.EqualTo(new[] { "Ensuring node image (kindest/node:v1.35.0)", "Preparing nodes", "Starting control-plane" }));
        });
    }

    [Test]
    public async Task Says_why_kind_failed()
    {
        _tools.Program("kind", $"{Says}\ncat >&2 <<'END'\n ✗ Starting control-plane 🕹️\nERROR: failed to create cluster: port is already allocated\nEND\nexit 1");

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => Kind().CreateAsync("east", "c", "", "k", _ => { }, TimeSpan.FromMinutes(1), CancellationToken.None)))!;

        Assert.Multiple(() =>
        {
            Assert.That(fault.Problems[0].Id, Is.EqualTo("MT2210"));
            Assert.That(fault.Message, Does.Contain("port is already allocated"));
            Assert.That(((ToolFailedException)fault.InnerException!).Result.Error, Does.Contain("Creating cluster"));
        });
    }

    [Test]
    public async Task Ends_a_hanging_kind_at_its_deadline_with_its_child_process()
    {
        _tools.Program("docker", "trap '' TERM; echo $$ >>ids; while :; do sleep 1; done").Program("kind", $"{Says}\necho $$ >>ids; docker run & docker exec");

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => Kind().CreateAsync("east", "c", "", "k", _ => { }, TimeSpan.FromSeconds(2), CancellationToken.None)))!;

        var ids = await _tools.IdsAsync("ids", 3);
        Assert.Multiple(() =>
        {
            Assert.That(fault.Problems[0].Id, Is.EqualTo("MT2209"));
            Assert.That(fault.Message, Does.Contain("kind create cluster --name east"));
            Assert.That(ids.Where(id => ProcessTree.BirthOf(id) is not null), Is.Empty);
        });
    }

    [TestCase("0.32.0", "0.32.0")]
    [TestCase("0.33.0-alpha+fed2688", "0.33.0-alpha+fed2688")]
    [TestCase("kind v0.27.0 go1.24.4 linux/amd64", "0.27.0")]
    public async Task Reads_its_version(string said, string version)
    {
        _tools.Program("kind", $"echo '{said}'");

        Assert.That(await Kind().ReadVersionAsync(CancellationToken.None), Is.EqualTo(version));
    }

    [Test]
    public async Task Rejects_a_program_that_prints_no_version()
    {
        _tools.Program("kind", "echo hello");

        Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => Kind().ReadVersionAsync(CancellationToken.None)))!.Problems[0].Id, Is.EqualTo("MT2206"));
    }

    [Test]
    public async Task Passes_the_cluster_name_and_its_own_kubeconfig_in_each_call()
    {
        _tools.Program("kind", "echo \"$*\" >>arguments");
        var kind = Kind();

        await kind.DeleteAsync("east", "/w/east", CancellationToken.None);
        await kind.ReadKubeconfigAsync("east", isInternal: false, CancellationToken.None);
        await kind.ReadKubeconfigAsync("east", isInternal: true, CancellationToken.None);
        await kind.ExportLogsAsync("east", "/w/logs", CancellationToken.None);

        Assert.That(_tools.Read("arguments").TrimEnd().Split('\n'), Is.EqualTo(new[]
        {
            "delete cluster --name east --kubeconfig /w/east",
            "get kubeconfig --name east",
            "get kubeconfig --name east --internal",
            "export logs /w/logs --name east",
        }));
    }

    private KindTool Kind(ContainerEngineChoice engine = ContainerEngineChoice.Docker, string network = "kind") => new(_tools.Host, engine, network);
}
