using System.Net;
using MeshTrust.Kind;
using MeshTrust.Settings;
using static MeshTrust.Tests.Kind.PlannedMesh;

namespace MeshTrust.Tests.Kind;

public sealed class RoutePlanTests
{
    private static readonly EngineSnapshot Two = Engine("172.18.0.0/16,fc00::/64") with
    {
        Containers =
        [
            Node("cluster1", "cluster1-control-plane", "172.18.0.2,fc00::2"),
            Node("cluster1", "cluster1-worker", "172.18.0.3,fc00::3"),
            Node("cluster2", "cluster2-control-plane", "172.18.0.4,fc00::4"),
            Node("cluster2", "cluster2-external-load-balancer", "172.18.0.9,fc00::9"),
            Node("cluster3", "cluster3-control-plane", "172.18.0.5,fc00::5"),
        ],
    };

    private static readonly Dictionary<string, IReadOnlyList<IPNetwork>> Pods = new()
    {
        ["cluster1-control-plane"] = [IPNetwork.Parse("10.10.0.0/24"), IPNetwork.Parse("fd00:10:0:a00::/64")],
        ["cluster1-worker"] = [IPNetwork.Parse("10.10.1.0/24"), IPNetwork.Parse("fd00:10:0:a01::/64")],
        ["cluster2-control-plane"] = [IPNetwork.Parse("10.20.0.0/24"), IPNetwork.Parse("fd00:10:0:1400::/64")],
        ["cluster3-control-plane"] = [IPNetwork.Parse("10.30.0.0/24")],
    };

    private static MeshTopology Mesh(RouteScope scope, IpFamily family = IpFamily.IPv4) =>
        PlannedMesh.Mesh(Cluster(1, "network1"), Cluster(2, "network1"), Cluster(3, "network2")).With(h => h with { Routes = scope, IpFamily = family });

    private static IEnumerable<string> Routes(MeshTopology mesh) =>
        RoutePlan.For(mesh, AddressPlan.For(mesh, Two, null), Two, Pods).Select(r => $"{r.Node}: {string.Join(' ', r.Command)}");

    [Test]
    public void Routes_from_every_node_to_the_pods_and_services_of_the_other_cluster() =>
        Assert.That(Routes(Mesh(RouteScope.SameNetwork)), Is.EqualTo(new[]
        {
            "cluster1-control-plane: ip -4 route replace 10.20.0.0/24 via 172.18.0.4",
            "cluster1-control-plane: ip -4 route replace 10.255.20.0/24 via 172.18.0.4",
            "cluster1-worker: ip -4 route replace 10.20.0.0/24 via 172.18.0.4",
            "cluster1-worker: ip -4 route replace 10.255.20.0/24 via 172.18.0.4",
            "cluster2-control-plane: ip -4 route replace 10.10.0.0/24 via 172.18.0.2",
            "cluster2-control-plane: ip -4 route replace 10.10.1.0/24 via 172.18.0.3",
            "cluster2-control-plane: ip -4 route replace 10.255.10.0/24 via 172.18.0.2",
        }));

    [Test]
    public void Routes_both_families_in_dual_stack_clusters()
    {
        var mesh = Mesh(RouteScope.SameNetwork, IpFamily.Dual);
        Assert.That(Routes(mesh).Where(r => r.StartsWith("cluster2", StringComparison.Ordinal)), Is.EqualTo(new[]
        {
            "cluster2-control-plane: ip -4 route replace 10.10.0.0/24 via 172.18.0.2",
            "cluster2-control-plane: ip -6 route replace fd00:10:0:a00::/64 via fc00::2",
            "cluster2-control-plane: ip -4 route replace 10.10.1.0/24 via 172.18.0.3",
            "cluster2-control-plane: ip -6 route replace fd00:10:0:a01::/64 via fc00::3",
            "cluster2-control-plane: ip -4 route replace 10.255.10.0/24 via 172.18.0.2",
            "cluster2-control-plane: ip -6 route replace fd00:255::a:0/112 via fc00::2",
        }));
    }

    [TestCase(nameof(RouteScope.None), 0)]
    [TestCase(nameof(RouteScope.SameNetwork), 7)]
    [TestCase(nameof(RouteScope.All), 18)]
    public void Connects_the_pairs_in_scope(string scope, int count) => Assert.That(Routes(Mesh(Enum.Parse<RouteScope>(scope))).Count(), Is.EqualTo(count));

    [Test]
    public void Treats_clusters_without_a_network_as_one_network()
    {
        var mesh = PlannedMesh.Mesh(2);
        Assert.That(RoutePlan.For(mesh, AddressPlan.For(mesh, Two, null), Two, Pods), Has.Count.EqualTo(7));
    }

    [Test]
    public void Reports_every_node_that_cannot_be_routed_to()
    {
        var mesh = Mesh(RouteScope.All, IpFamily.Dual);
        var plan = AddressPlan.For(mesh, Two, null);
        var stopped = Two with { Containers = [.. Two.Containers.Select(c => c.Name == "cluster1-worker" ? c with { Addresses = new Dictionary<string, IReadOnlyList<IPAddress>>() } : c)] };
        var problems = Problems(() => RoutePlan.For(mesh, plan, stopped, Pods));
        Assert.That(problems.Select(p => $"{p.Id} {p.Location}: {p.Message}"), Is.EquivalentTo(new[]
        {
            "MT3121 cluster1-worker: It has no IPv4 address in the network \"kind\", so it cannot be routed to.",
            "MT3121 cluster3-control-plane: It has no IPv6 range for its pods yet, so it cannot be routed to.",
        }));
    }
}
