using System.Net;
using global::Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Kind;

/// <summary>Clusters that are kept, and what has changed since they were created.</summary>
[TestFixture]
[Platform(Exclude = "Win", Reason = "kind is a shell script here")]
public sealed class KindUpkeepTests
{
    private static readonly RegistrySpec Registry = new() { Name = "registry", HostPort = 5001 };

    private FakeKind _kind = null!;

    [SetUp]
    public void Begin() => _kind = new FakeKind();

    [TearDown]
    public void End() => _kind?.Dispose();

    [Test]
    public async Task Starts_stopped_nodes()
    {
        await EnsureAsync("east");
        _kind.Stop("east-control-plane");
        var cluster = (await EnsureAsync("east")).Clusters.Single();

        Assert.That(cluster.Outcome, Is.EqualTo(ClusterOutcome.Restarted));
        Assert.That(_kind.Commands, Does.Contain("start east-control-plane"));
        Assert.That(_kind.Calls, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Starts_nodes_in_the_order_of_their_former_addresses()
    {
        await EnsureAsync("east", "north", "west");
        Had("east", "172.18.0.10");
        Had("north", "172.18.0.9");
        foreach (var cluster in (string[])["east", "north", "west"]) _kind.Stop(cluster + "-control-plane");
        await EnsureAsync("east", "north", "west");

        Assert.That(_kind.Commands.Where(command => command.StartsWith("start ", StringComparison.Ordinal)).Distinct(),
            Is.EqualTo(new[] { "start west-control-plane", "start north-control-plane", "start east-control-plane" }), "by number, not by text");
    }

    [Test]
    public async Task Repair_follows_changed_addresses_and_creates_nothing()
    {
        await EnsureAsync("east");
        var (run, east) = (_kind.Run(), ClusterName.Parse("east"));
        var state = run.States.Read(east)!;
        run.States.Write(east, state with { NodeAddresses = state.NodeAddresses.ToDictionary(n => n.Key, _ => (IReadOnlyList<System.Net.IPAddress>)[System.Net.IPAddress.Parse("172.18.0.99")]) });
        var calls = _kind.Calls;

        var repaired = await new KindClusterProvider(run).RepairAsync(FakeKind.Topology("east", "west"), default);
        var again = await new KindClusterProvider(run).RepairAsync(FakeKind.Topology("east", "west"), default);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(repaired.Clusters.Single().Detail, Does.Contain("east-control-plane was 172.18.0.99, is now "));
            Assert.That(again.Clusters.Single().Detail, Does.Not.Contain("is now"), "it is known from now on");
            Assert.That(_kind.Calls, Is.EqualTo(calls), "west is not made");
        }
    }

    [Test]
    public async Task Publishes_the_local_registry_in_the_cluster()
    {
        var mesh = FakeKind.Topology("east");
        var registries = new[] { new RegistrySpec { Name = "registry", HostPort = 5001 }, new RegistrySpec { Name = "other", Aliases = ["other.example"] } };
        await new KindClusterProvider(_kind.Run()).EnsureAsync(mesh with { Kind = mesh.Kind with { Registries = registries } }, default);
        await EnsureAsync("west");

        Assert.That((string?)_kind.Api("east").Objects[LocalRegistryConfigMap.Reference]["data"]!["localRegistryHosting.v1"], Does.StartWith("host: \"localhost:5001\"\n"));
        Assert.That(_kind.Api("west").Objects.Keys, Has.None.EqualTo(LocalRegistryConfigMap.Reference), "without a registry there is nothing to publish");
    }

    [Test]
    public async Task Writes_a_registry_that_is_added_later_once_into_existing_nodes()
    {
        await EnsureAsync("east");
        var mesh = FakeKind.Topology("east") with { Kind = FakeKind.Topology("east").Kind with { Registries = [Registry] } };
        var later = (await new KindClusterProvider(_kind.Run()).EnsureAsync(mesh, default)).Clusters.Single();
        var inputs = _kind.Inputs.Count;
        var again = (await new KindClusterProvider(_kind.Run()).EnsureAsync(mesh, default)).Clusters.Single();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(later.Detail, Does.Contain("/etc/containerd/certs.d/localhost:5001/hosts.toml is new or changed"));
            Assert.That(_kind.Inputs, Has.Exactly(1).Contains("http://registry:5000"));
            Assert.That((string?)_kind.Api("east").Objects[LocalRegistryConfigMap.Reference]["data"]!["localRegistryHosting.v1"], Does.StartWith("host: \"localhost:5001\"\n"));
            Assert.That((again.Detail.Contains("hosts.toml", StringComparison.Ordinal), _kind.Inputs.Count), Is.EqualTo((false, inputs)), "nothing is written again");
        }
    }

    private Task<ClusterSet> EnsureAsync(params string[] names) => new KindClusterProvider(_kind.Run()).EnsureAsync(FakeKind.Topology(names), default);

    private void Had(string cluster, string address)
    {
        var (states, name) = (_kind.Run().States, ClusterName.Parse(cluster));
        states.Write(name, states.Read(name)! with { NodeAddresses = new Dictionary<string, IReadOnlyList<IPAddress>> { [cluster + "-control-plane"] = [IPAddress.Parse(address)] } });
    }
}
