using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Tools;

[TestFixture]
public sealed class EngineSearchTests
{
    private const string NotRunning = "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2; exit 1";
    private const string Forbidden = "echo 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get \"http://%2Fvar%2Frun%2Fdocker.sock/v1.50/info\": dial unix /var/run/docker.sock: connect: permission denied' >&2; exit 1";
    private const string NoContext = "echo 'Failed to initialize: unable to resolve docker endpoint: context \"zzz\": context not found: open /home/u/.docker/contexts/meta/17/meta.json: no such file or directory' >&2; exit 1";
    private const string NoHost = "echo 'error during connect: Get \"http://nohost:2375/v1.50/info\": dial tcp: lookup nohost on 10.0.0.1:53: no such host' >&2; exit 1";
    private const string NoMachine = "echo 'Cannot connect to Podman. Please verify your connection to the Linux system using `podman system connection list`, or try `podman machine init` and `podman machine start` to manage a new Linux VM' >&2; exit 125";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private FakeTools _tools = null!;

    [SetUp]
    public void CreateTools() => _tools = new FakeTools();

    [TearDown]
    public void RemoveTools() => _tools?.Dispose();

    [Test]
    public async Task Uses_Docker_if_it_is_running()
    {
        Docker(Answer("docker-info"));
        Podman(NoMachine);

        var answer = await AskAsync();

        Assert.That((answer.Engine!.Engine, answer.Info!.Version, answer.Info.Endpoint, answer.Problems.Count), Is.EqualTo((ContainerEngineChoice.Docker, "20.10.24+dfsg1", "unix:///var/run/docker.sock", 0)));
    }

    [Test]
    public async Task Caches_a_running_engine_and_probes_one_again_that_did_not_respond()
    {
        var search = new EngineSearch(_tools.Host);
        Docker(NotRunning);
        Assert.That((await search.AskAsync(ContainerEngineChoice.Docker, Limit, CancellationToken.None)).Engine, Is.Null);
        Docker(Answer("docker-info"));
        var answer = await search.AskAsync(ContainerEngineChoice.Docker, Limit, CancellationToken.None);
        Docker(NotRunning);

        Assert.That(answer.Engine, Is.Not.Null);
        Assert.That(await search.AskAsync(ContainerEngineChoice.Docker, Limit, CancellationToken.None), Is.SameAs(answer));
    }

    [TestCase(null)]
    [TestCase(NotRunning)]
    [TestCase(Forbidden)]
    public async Task Uses_Podman_if_only_Podman_is_running(string? docker)
    {
        if (docker is not null) Docker(docker);
        Podman(Answer("podman-info"));

        var answer = await AskAsync();

        Assert.That((answer.Engine!.Engine, answer.Info!.Version), Is.EqualTo((ContainerEngineChoice.Podman, "4.3.1")));
    }

    [Test]
    public async Task Recognizes_Podman_behind_the_docker_command()
    {
        Docker(Answer("podman-info"));
        Podman(Answer("podman-info"));

        Assert.That((await AskAsync()).Engine!.Engine, Is.EqualTo(ContainerEngineChoice.Podman));
        Assert.That((await AskAsync(ContainerEngineChoice.Docker)).Problems.Single().Id, Is.EqualTo("MT2205"));
    }

    [Test]
    public async Task Rejects_an_engine_that_runs_Windows_containers()
    {
        Docker("echo '{\"ServerVersion\": \"28.2.2\", \"Architecture\": \"x86_64\", \"OSType\": \"windows\"}'");

        var problem = (await AskAsync()).Problems.Single();

        Assert.That((problem.Id, problem.Message), Is.EqualTo(("MT2205", "'docker' runs Windows containers, but kind's nodes are Linux containers.")));
    }

    [TestCase(NotRunning, "MT2203", "unix:///var/run/docker.sock (context default)", "systemctl start docker")]
    [TestCase(Forbidden, "MT2204", "unix:///var/run/docker.sock (context default)", "usermod -aG docker")]
    [TestCase(NoContext, "MT2212", "zzz", "docker context ls")]
    [TestCase(NoHost, "MT2212", "nohost", "DOCKER_HOST")]
    [TestCase("echo no JSON", "MT2206", "docker info", "version")]
    [TestCase("echo something else is wrong >&2; exit 1", "MT2210", "something else is wrong", "Fix what it reports")]
    public async Task Says_why_Docker_does_not_respond(string docker, string id, string place, string remedy)
    {
        Docker(docker);

        var problem = (await AskAsync()).Problems.Single();

        Assert.Multiple(() =>
        {
            Assert.That(problem.Id, Is.EqualTo(id));
            Assert.That(problem.ToString(), Does.Contain(place));
            Assert.That(problem.Hint, Does.Contain(remedy));
        });
    }

    [Test]
    public async Task Reports_an_engine_that_does_not_respond()
    {
        Docker("sleep 600");

        var problem = (await new EngineSearch(_tools.Host).AskAsync(ContainerEngineChoice.Docker, TimeSpan.FromSeconds(1), CancellationToken.None)).Problems.Single();

        Assert.That((problem.Id, problem.Message), Is.EqualTo(("MT2202", "docker did not answer within 1 s at unix:///var/run/docker.sock (context default).")));
    }

    [Test]
    public async Task Reports_all_problems_of_both_engines()
    {
        Docker(NotRunning);
        Podman(NoMachine);

        Assert.That((await AskAsync()).Problems.Select(problem => (problem.Id, problem.Location)), Is.EqualTo(new[] { ("MT2203", "docker"), ("MT2203", "podman") }));
    }

    [Test]
    public async Task Reports_that_no_engine_is_installed_and_which_ones_are_not_supported()
    {
        _tools.Program("nerdctl", "exit 0").Program("finch", "exit 0");

        var problem = (await AskAsync()).Problems.Single();

        Assert.Multiple(() =>
        {
            Assert.That(problem.Id, Is.EqualTo("MT2201"));
            Assert.That(problem.Message, Does.Contain("'docker' and 'podman' are not on the PATH").And.Contains("nerdctl and finch"));
        });
        Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => new EngineSearch(_tools.Host).FindAsync(ContainerEngineChoice.Podman, CancellationToken.None)))!.Message, Does.Contain("'podman' is not on the PATH"));
    }

    [TestCase("nerdctl")]
    [TestCase("finch")]
    [TestCase("nerdctl.lima")]
    public async Task Rejects_an_engine_that_only_kind_supports(string engine)
    {
        Docker(Answer("docker-info"));
        _tools.With("KIND_EXPERIMENTAL_PROVIDER", engine);

        Assert.That((await AskAsync()).Problems.Single().ToString(), Does.StartWith("MT2205").And.Contains($"'{engine}'"));
    }

    [Test]
    public async Task Never_replaces_the_requested_engine()
    {
        Docker(NotRunning);
        Podman(Answer("podman-info"));

        Assert.That((await AskAsync(ContainerEngineChoice.Docker)).Engine, Is.Null);
        _tools.With("KIND_EXPERIMENTAL_PROVIDER", "docker");
        Assert.That((await AskAsync()).Engine, Is.Null);
        Assert.That((await AskAsync(ContainerEngineChoice.Podman)).Engine!.Engine, Is.EqualTo(ContainerEngineChoice.Podman));
    }

    [Test]
    public async Task Recognizes_a_remote_engine()
    {
        Docker(Answer("docker-info"));
        _tools.With("DOCKER_HOST", "tcp://docker:2375");

        var info = (await AskAsync()).Info!;

        Assert.That((info.Endpoint, info.IsRemote), Is.EqualTo(("tcp://docker:2375", true)));
    }

    private static string Answer(string recorded) => $"cat '{Path.Combine(RepositoryRoot.Path, "tests/MeshTrust.Tests/Cake/Tools/Recorded", recorded + ".json")}'";

    private void Docker(string info) => _tools.Program("docker", $"if [ \"$1\" = context ]; then {Answer("docker-context")}; exit 0; fi\n{info}");

    private void Podman(string info) => _tools.Program("podman", info);

    private Task<EngineAnswer> AskAsync(ContainerEngineChoice wanted = ContainerEngineChoice.Auto) => new EngineSearch(_tools.Host).AskAsync(wanted, Limit, CancellationToken.None);
}
