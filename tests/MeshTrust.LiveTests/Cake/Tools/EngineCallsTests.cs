using System.Net;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Tools;

/// <summary>The calls to docker and podman, and how their errors are handled.</summary>
[TestFixture]
public sealed class EngineCallsTests
{
    private FakeTools _tools = null!;

    [SetUp]
    public void CreateTools() => _tools = new FakeTools();

    [TearDown]
    public void RemoveTools() => _tools?.Dispose();

    private string Called => _tools.Read("called");

    [Test]
    public async Task Leaves_out_what_disappears_between_list_and_inspect()
    {
        Docker("""
            case "$1 $2" in
              "ps --all") echo aaa; echo bbb;;
              "inspect --type=container") echo '[{"Id":"aaa","Name":"/a","State":{"Running":true}}]'; echo 'Error: No such container: bbb' >&2; exit 1;;
              "network ls") echo nnn;;
              "network inspect") echo '[]'; echo 'Error response from daemon: network nnn not found' >&2; exit 1;;
            esac
            """);
        var engine = new ContainerEngine(_tools.Host, ContainerEngineChoice.Docker);

        Assert.That((await engine.ReadContainersAsync(CancellationToken.None)).Select(container => container.Name), Is.EqualTo(new[] { "a" }));
        Assert.That(await engine.ReadNetworksAsync(CancellationToken.None), Is.Empty);
        Assert.That(Called.Split('\n').Count(line => line.Contains("inspect", StringComparison.Ordinal)), Is.EqualTo(2), "one call for all");
    }

    [Test]
    public async Task Any_other_failure_of_inspect_is_an_error()
    {
        Docker("""
            case "$1" in
              ps) echo aaa;;
              inspect) echo '[]'; echo 'Error: No such container: aaa' >&2; echo 'Error response from daemon: the disk is broken' >&2; exit 1;;
            esac
            """);

        Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => new ContainerEngine(_tools.Host, ContainerEngineChoice.Docker).ReadContainersAsync(CancellationToken.None)))!.Message, Does.Contain("the disk is broken"));
    }

    [Test]
    public async Task Makes_no_call_if_there_is_nothing_to_inspect()
    {
        Docker("exit 0");

        Assert.That(await new ContainerEngine(_tools.Host, ContainerEngineChoice.Docker).ReadContainersAsync(CancellationToken.None), Is.Empty);
        Assert.That(Called, Is.EqualTo("ps --all --quiet --no-trunc\n"));
    }

    [TestCase("Error response from daemon: no such image: a:1: No such image: a:1")]
    [TestCase("Error: inspecting object: a:1: image not known")]
    public async Task Returns_null_for_a_missing_image(string said)
    {
        Docker($"echo '{said}' >&2; echo '[]'; exit 1");

        Assert.That(await new ContainerEngine(_tools.Host, ContainerEngineChoice.Docker).ReadImageAsync("a:1", CancellationToken.None), Is.Null);
    }

    [Test]
    public async Task Creates_a_network_as_kind_creates_its_own()
    {
        Docker("case \"$2\" in inspect) echo 1400;; esac");

        await new ContainerEngine(_tools.Host, ContainerEngineChoice.Docker).CreateNetworkAsync("kind", [], null, CancellationToken.None);

        Assert.That(Called.Split('\n')[1], Is.EqualTo("network create --driver=bridge --label=dev.meshtrust.made=true --opt=com.docker.network.bridge.enable_ip_masquerade=true --opt=com.docker.network.driver.mtu=1400 --ipv6 --subnet fc00:f853:ccd:e793::/64 kind"));
    }

    [Test]
    public async Task Uses_the_next_local_range_and_then_none()
    {
        Docker("""
            case "$*" in
              *f853:ccd:e793*) echo 'Error response from daemon: Pool overlaps with other one on this address space' >&2; exit 1;;
              *--ipv6*) echo 'Error response from daemon: Cannot read IPv6 setup for bridge br-1' >&2; exit 1;;
            esac
            """);

        await new ContainerEngine(_tools.Host, ContainerEngineChoice.Docker).CreateNetworkAsync("kind", [], null, CancellationToken.None);

        var creates = Called.TrimEnd().Split('\n').Where(line => line.StartsWith("network create", StringComparison.Ordinal)).ToList();
        Assert.That(creates.Select(line => line.Contains("--ipv6", StringComparison.Ordinal)), Is.EqualTo(new[] { true, true, false }));
        Assert.That(creates[1], Does.Not.Contain("f853:ccd:e793"));
    }

    [Test]
    public async Task Creates_a_network_with_the_configured_ranges()
    {
        _tools.Program("podman", "echo \"$*\" >>called");

        await new ContainerEngine(_tools.Host, ContainerEngineChoice.Podman).CreateNetworkAsync("mesh", [IPNetwork.Parse("10.253.0.0/22"), IPNetwork.Parse("fd00:1::/64")], IPNetwork.Parse("10.253.2.0/23"), CancellationToken.None);

        Assert.That(Called, Is.EqualTo("network create --driver=bridge --label=dev.meshtrust.made=true --subnet 10.253.0.0/22 --ip-range 10.253.2.0/23 --subnet fd00:1::/64 --ipv6 mesh\n"));
    }

    [Test]
    public async Task Queries_podman_for_an_image_by_the_name_that_kind_uses()
    {
        _tools.Program("podman", "echo \"$*\" >>called; case $1 in image) echo 'Error: no such image' >&2; exit 1;; load) echo 'Loaded image: localhost/kindest/node:v1.20.2'; echo 'Loaded image: ghcr.io/a/b:1';; esac");
        var engine = new ContainerEngine(_tools.Host, ContainerEngineChoice.Podman);

        await engine.ReadImageAsync("kindest/node:v1.20.2@sha256:00", CancellationToken.None);
        await engine.PullAsync("kindest/node:v1.20.2", CancellationToken.None);
        await engine.LoadAsync("node.tar", CancellationToken.None);

        Assert.That(Called.Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo(new[]
        {
            "image inspect docker.io/kindest/node@sha256:00", "pull --quiet docker.io/kindest/node:v1.20.2",
            "load --quiet --input node.tar", "tag localhost/kindest/node:v1.20.2 docker.io/kindest/node:v1.20.2",
        }));
    }

    [TestCase("node", "docker.io/library/node")]
    [TestCase("node:1@sha256:00", "docker.io/library/node@sha256:00")]
    [TestCase("kindest/node:v1", "docker.io/kindest/node:v1")]
    [TestCase("docker.io/kindest/node:v1@sha256:00", "docker.io/kindest/node@sha256:00")]
    [TestCase("localhost/node:v1", "localhost/node:v1")]
    [TestCase("localhost:5000/node:v1@sha256:00", "localhost:5000/node@sha256:00")]
    [TestCase("ghcr.io/a/b", "ghcr.io/a/b")]
    public void Names_an_image_with_its_registry(string image, string name) => Assert.That(new ContainerEngine(null!, ContainerEngineChoice.Podman).FullName(image), Is.EqualTo(name));

    [TestCase("Error response from daemon: network with name kind already exists")]
    [TestCase("Error: network name kind already used: network already exists")]
    public async Task Accepts_a_network_that_was_created_concurrently(string said)
    {
        Docker($"case \"$2\" in create) echo '{said}' >&2; exit 1;; esac");

        await new ContainerEngine(_tools.Host, ContainerEngineChoice.Docker).CreateNetworkAsync("kind", [], null, CancellationToken.None);

        Assert.That(Called.Split('\n').Count(line => line.StartsWith("network create", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public async Task A_network_that_the_engine_rejects_is_an_error()
    {
        Docker("case \"$2\" in create) echo 'Error response from daemon: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network' >&2; exit 1;; esac");

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new ContainerEngine(_tools.Host, ContainerEngineChoice.Docker).CreateNetworkAsync("kind", [IPNetwork.Parse("10.1.0.0/16")], null, CancellationToken.None)))!;

        Assert.That(fault.Message, Does.Contain("MT2210").And.Contains("non-overlapping IPv4 address pool"));
    }

    [TestCase("Error: No such network: 1234", true)]
    [TestCase("Error response from daemon: network 1234 not found", true)]
    [TestCase("Error response from daemon: error while removing network: network kind id 1234 has active endpoints", false)]
    public async Task Removing_a_missing_network_is_not_an_error(string said, bool isFine)
    {
        Docker($"echo '{said}' >&2; exit 1");
        Func<Task> remove = () => new ContainerEngine(_tools.Host, ContainerEngineChoice.Docker).RemoveNetworkAsync("1234", CancellationToken.None);

        if (isFine) await Assert.DoesNotThrowAsync(remove);
        else Assert.That((await Assert.ThrowsAsync<MeshTrustException>(remove))!.Message, Does.Contain("active endpoints"));
    }

    [Test]
    public async Task Runs_a_command_in_a_container_and_leaves_its_exit_code_to_the_caller()
    {
        Docker("cat; echo problem >&2; exit 42");

        var result = await new ContainerEngine(_tools.Host, ContainerEngineChoice.Docker).ExecuteAsync("node", ["sh", "-c", "cat > '/a b'"], "text", CancellationToken.None);

        Assert.That((result.ExitCode, result.Output, result.Error, Called), Is.EqualTo((42, "text", "problem\n", "exec -i node sh -c cat > '/a b'\n")));
    }

    private void Docker(string body) => _tools.Program("docker", $"echo \"$*\" >>called\n{body}");
}
