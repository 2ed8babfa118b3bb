using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Tools;

/// <summary>The real engines of this machine. Docker is required; Podman is tested if it is installed.</summary>
[TestFixture]
[NonParallelizable, Category(OutsideTool.Category), Category(OutsideTool.Engine), Deadline(11 * 60)]
public sealed class RealEngineTests
{
    private static readonly string[] Engines = OutsideTool.TryFind("podman") is null ? ["docker"] : ["docker", "podman"];

    private ScratchDirectory _directory = null!;
    private ToolHost _host = null!;

    [SetUp]
    public void CreateHost()
    {
        _directory = new ScratchDirectory();
        _host = FakeTools.Real(_directory.Location);
    }

    [TearDown]
    public void RemoveDirectory() => _directory?.Dispose();

    [TestCaseSource(nameof(Engines))]
    public async Task Creates_reads_and_removes_a_network(string name)
    {
        var engine = Engine(name);
        var network = $"meshtrust-test-{Guid.NewGuid():n}"[..24];

        await engine.CreateNetworkAsync(network, [], null, CancellationToken.None);
        try
        {
            await engine.CreateNetworkAsync(network, [], null, CancellationToken.None);
            var made = (await engine.ReadNetworksAsync(CancellationToken.None)).Where(found => found.Name == network).ToList();

            Assert.Multiple(() =>
            {
                Assert.That(made, Has.Count.EqualTo(1));
                Assert.That(made[0].Labels[IContainerEngine.MadeLabel], Is.EqualTo("true"));
                Assert.That(made[0].Subnets.Select(subnet => subnet.Range.BaseAddress.AddressFamily), Does.Contain(System.Net.Sockets.AddressFamily.InterNetwork));
                if (made[0].HasIpv6) Assert.That(made[0].Subnets.Select(subnet => subnet.Range), Does.Contain(ContainerEngine.LocalRange(network, 0)));
            });
        }
        finally
        {
            await engine.RemoveNetworkAsync(network, CancellationToken.None);
        }

        await engine.RemoveNetworkAsync(network, CancellationToken.None);
        Assert.That((await engine.ReadNetworksAsync(CancellationToken.None)).Select(found => found.Name), Does.Not.Contain(network));
    }

    [TestCaseSource(nameof(Engines))]
    public async Task Rejects_a_range_that_is_in_use(string name)
    {
        var engine = Engine(name);
        var taken = (await engine.ReadNetworksAsync(CancellationToken.None)).SelectMany(network => network.Subnets).Select(subnet => subnet.Range)
            .First(range => range.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork);

        await Assert.ThrowsAsync<MeshTrustException>(() => engine.CreateNetworkAsync($"meshtrust-test-{Guid.NewGuid():n}"[..24], [taken], null, CancellationToken.None));
    }

    [TestCaseSource(nameof(Engines))]
    public async Task Finds_no_image_of_an_unknown_name(string name) =>
        Assert.That(await Engine(name).ReadImageAsync("meshtrust.invalid/nothing:1", CancellationToken.None), Is.Null);

    [Test]
    public async Task Finds_docker_and_reads_all_of_it()
    {
        OutsideTool.Find("docker");

        var answer = await new EngineSearch(_host).AskAsync(ContainerEngineChoice.Docker, EngineSearch.DefaultLimit, CancellationToken.None);
        Assert.That(answer.Problems, Is.Empty);
        var snapshot = await new EngineSnapshotReader(_host).ReadAsync(answer.Engine!, answer.Info!, CancellationToken.None);

        Assert.Multiple(() =>
        {
            Assert.That(snapshot.Info, Is.SameAs(answer.Info));
            Assert.That(snapshot.Info.Version, Does.Match(@"^\d+\.\d+"));
            Assert.That(snapshot.Info.Endpoint, Does.Contain("://"));
            Assert.That(snapshot.NetworksNamed("bridge").Single().Subnets, Is.Not.Empty);
            Assert.That(snapshot.KindVersion is null, Is.EqualTo(OutsideTool.TryFind("kind") is null));
        });
    }

    [Test]
    public async Task Says_where_it_looked_for_a_missing_engine()
    {
        OutsideTool.Find("docker");
        var host = FakeTools.Real(_directory.Location, ("DOCKER_HOST", "unix:///nowhere/docker.sock"));

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new EngineSearch(host).FindAsync(ContainerEngineChoice.Docker, CancellationToken.None)))!;

        Assert.That(fault.Message, Does.StartWith("MT2203").And.Contains("unix:///nowhere/docker.sock (DOCKER_HOST)"));
    }

    [Test]
    [CancelAfter(600_000)]
    public async Task Kind_creates_a_cluster_that_the_engine_lists_and_removes_it(CancellationToken token)
    {
        OutsideTool.Find("docker");
        OutsideTool.Find("kind");
        var image = Environment.GetEnvironmentVariable("MESHTRUST_KIND_IMAGE") ?? "";
        var name = $"meshtrust-tools-{Guid.NewGuid():n}"[..24];
        var engine = new ContainerEngine(_host, ContainerEngineChoice.Docker);
        var kind = new KindTool(_host, ContainerEngineChoice.Docker);
        var config = _directory.Write("config.yaml", "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n");
        var steps = new List<string>();
        try
        {
            await kind.CreateAsync(name, config, image, _directory.File("kubeconfig"), steps.Add, TimeSpan.FromMinutes(8), token);

            var snapshot = await new EngineSnapshotReader(_host).ReadAsync(engine, await engine.ReadInfoAsync(EngineSearch.DefaultLimit, token), token);
            var node = snapshot.NodesOf(name).Single();
            var echoed = await engine.ExecuteAsync(node.Name, ["sh", "-c", "cat > '/tmp/a b' && cat '/tmp/a b' && exit 9"], "in ü\n", token);
            await kind.ExportLogsAsync(name, _directory.File("logs"), token);
            Assert.Multiple(() =>
            {
                Assert.That(steps, Does.Contain("Starting control-plane"));
                Assert.That((node.IsRunning, node.KindRole), Is.EqualTo((true, "control-plane")));
                Assert.That(snapshot.NetworksNamed("kind").Single().Members[node.Name], Is.EqualTo(node.Addresses["kind"]));
                Assert.That(node.Ports.Single(port => port.ContainerPort == 6443).HostAddress, Is.EqualTo("127.0.0.1"));
                Assert.That((echoed.ExitCode, echoed.Output), Is.EqualTo((9, "in ü\n")));
                Assert.That(Directory.EnumerateFiles(_directory.File("logs"), "kubelet.log", SearchOption.AllDirectories), Is.Not.Empty);
                Assert.That(File.ReadAllText(_directory.File("kubeconfig")), Does.Contain($"kind-{name}"));
            });
            Assert.That(await kind.ReadKubeconfigAsync(name, isInternal: true, token), Does.Contain($"https://{name}-control-plane:6443"));
            Assert.That(await kind.ReadKubeconfigAsync(name, isInternal: false, token), Does.Contain($"https://127.0.0.1:{node.Ports.Single(port => port.ContainerPort == 6443).HostPort}"));
            Assert.That((await engine.ReadImageAsync(node.Image, token))!.Id, Is.EqualTo(node.ImageId));

            var again = (await Assert.ThrowsAsync<MeshTrustException>(() => kind.CreateAsync(name, config, image, _directory.File("kubeconfig"), _ => { }, TimeSpan.FromMinutes(2), token)))!;
            Assert.That(((ToolFailedException)again.InnerException!).Result.Error, Does.Contain("already exist"));
        }
        finally
        {
            await kind.DeleteAsync(name, _directory.File("kubeconfig"), CancellationToken.None);
        }

        await kind.DeleteAsync(name, _directory.File("kubeconfig"), token);
        Assert.That((await engine.ReadContainersAsync(token)).Select(container => container.KindCluster), Does.Not.Contain(name));
        Assert.That(File.ReadAllText(_directory.File("kubeconfig")), Does.Not.Contain($"kind-{name}"));
    }

    private IContainerEngine Engine(string name)
    {
        OutsideTool.Find(name);
        return name == "docker" ? new ContainerEngine(_host, ContainerEngineChoice.Docker) : new ContainerEngine(_host, ContainerEngineChoice.Podman);
    }
}
