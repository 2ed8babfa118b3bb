using System.Net;
using MeshTrust.Kind;
using MeshTrust.Settings;
using static MeshTrust.Tests.Kind.PlannedMesh;

namespace MeshTrust.Tests.Kind;

public sealed class AddressPlanTests
{
    private static readonly EngineSnapshot Bare = Engine("172.18.0.0/16");

    private static MeshTopology NoBalancer(MeshTopology mesh) => mesh.With(h => h with { LoadBalancer = new LoadBalancerSpec { Kind = LoadBalancerKind.None } });

    [Test]
    public void Uses_the_address_scheme_of_Istios_topologies() =>
        Assert.That(AddressPlan.For(NoBalancer(Mesh(3)), Bare, null).Lines(), Is.EqualTo(new[]
        {
            "10.10.0.0/16 10.255.10.0/24",
            "10.20.0.0/16 10.255.20.0/24",
            "10.30.0.0/16 10.255.30.0/24",
        }));

    [TestCase(IpFamily.IPv6, "172.18.0.0/16,fc00:f853:ccd:e793::/64", "fd00:10:0:a00::/56 fd00:255::a:0/112 fc00:f853:ccd:e793:ffff:ffff:ffff:ff40-fc00:f853:ccd:e793:ffff:ffff:ffff:ff7f")]
    [TestCase(IpFamily.Dual, "fc00:f853:ccd:e793::/64,172.18.0.0/16", "10.10.0.0/16,fd00:10:0:a00::/56 10.255.10.0/24,fd00:255::a:0/112 172.18.255.128-172.18.255.191 fc00:f853:ccd:e793:ffff:ffff:ffff:ff40-fc00:f853:ccd:e793:ffff:ffff:ffff:ff7f")]
    public void Plans_ranges_for_each_family_with_IPv4_first(IpFamily family, string network, string line) =>
        Assert.That(AddressPlan.For(Mesh(1, family), Engine(network), null).Lines(), Is.EqualTo(new[] { line }));

    [TestCase(1, IpFamily.IPv4)]
    [TestCase(25, IpFamily.IPv4)]
    [TestCase(50, IpFamily.IPv4)]
    [TestCase(50, IpFamily.IPv6)]
    [TestCase(50, IpFamily.Dual)]
    [TestCase(240, IpFamily.Dual)]
    public void Plans_distinct_ranges_for_any_number_of_clusters(int count, IpFamily family)
    {
        var plan = AddressPlan.For(Mesh(count, family), Engine("172.18.0.0/16,fc00:f853:ccd:e793::/64"), null);
        var ranges = plan.Clusters.SelectMany(c => c.PodSubnets.Concat(c.ServiceSubnets).Select(IpRange.Of).Concat(c.LoadBalancerPool)).Append(IpRange.Parse("172.18.0.0/22")).ToList();
        var perCluster = family == IpFamily.Dual ? 6 : 3;
        Assert.That(ranges, Has.Count.EqualTo((count * perCluster) + 1));
        foreach (var group in ranges.GroupBy(r => r.Family))
        {
            var sorted = group.OrderBy(r => IpNumber.Of(r.First)).ToList();
            Assert.That(sorted.Zip(sorted.Skip(1)).Where(p => p.First.Overlaps(p.Second)), Is.Empty);
        }
    }

    [Test]
    public void Reports_an_exhausted_base_range()
    {
        var problems = Problems(() => AddressPlan.For(NoBalancer(Mesh(300)), Bare, null));
        Assert.That(problems.Select(p => p.Id).Distinct(), Is.EqualTo(new[] { "MT3106" }));
        Assert.That(problems[0].ToString(), Does.Contain("addressing.podBase").And.Contain("10.0.0.0/8"));
    }

    [Test]
    public void Avoids_networks_routes_and_other_clusters()
    {
        var engine = Engine(Network("kind", "10.20.0.0/16"), Network("corp", "10.255.10.0/25")) with
        {
            Routes = [Route("10.10.4.0/24", "eth0"), Route("10.30.0.0/15", "tun0")],
            Containers = [Node("other", "other-control-plane", "10.20.0.2")],
        };
        Assert.That(AddressPlan.For(NoBalancer(Mesh(2)), engine, null, [new FoundAddresses { Cluster = "a.friend", PodSubnets = [IPNetwork.Parse("10.40.0.0/16")], ServiceSubnets = [IPNetwork.Parse("10.255.20.0/25")] }]).Lines(), Is.EqualTo(new[]
        {
            "10.50.0.0/16 10.255.30.0/24",
            "10.60.0.0/16 10.255.40.0/24",
        }));
    }

    [Test]
    public void Leaves_the_default_ranges_of_kind_free()
    {
        var mesh = NoBalancer(Mesh(1)).With(h => h with { Addressing = new AddressingSpec { PodBase = IPNetwork.Parse("10.244.0.0/15"), PodStep = 1 } });
        var engine = Bare with { Containers = [Node("other", "other-control-plane", "172.18.0.9")] };
        Assert.That(AddressPlan.For(mesh, Bare, null).Clusters[0].PodSubnets[0].ToString(), Is.EqualTo("10.245.0.0/16"));
        Assert.That(AddressPlan.For(mesh with { Clusters = [.. mesh.Clusters, Cluster(2)] }, Bare, null).Clusters[1].PodSubnets[0].ToString(), Is.EqualTo("10.244.0.0/16"));
        Assert.That(Problems(() => AddressPlan.For(mesh with { Clusters = [.. mesh.Clusters, Cluster(2)] }, engine, null))[0].Id, Is.EqualTo("MT3106"));
    }

    [Test]
    public void Ignores_the_half_default_routes_of_a_VPN_but_warns()
    {
        var engine = Bare with { Routes = [Route("0.0.0.0/1", "tun0"), Route("128.0.0.0/1", "tun0"), Route("::/1", "utun4")] };
        var plan = AddressPlan.For(Mesh(1), engine, null);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.Clusters[0].PodSubnets[0].ToString(), Is.EqualTo("10.10.0.0/16"));
            Assert.That(plan.Warnings.Select(w => $"{w.Id} {w.Location}"), Is.EqualTo(new[] { "MT3111 tun0", "MT3111 utun4" }));
        }
    }

    [Test]
    public void Does_not_count_a_route_into_a_container_network_as_a_conflict()
    {
        // Users set such routes to reach pods from the host.
        var engine = Engine(Network("kind", "172.18.0.0/16"), Network("odd", "172.30.0.0/16")) with { Routes = [Route("10.10.0.0/16", "br-kind01234567"), Route("172.17.0.0/16", "docker0"), Route("172.30.0.0/16", "mybridge")] };
        var plan = AddressPlan.For(Mesh(1), engine, null);
        Assert.That(plan.Clusters[0].PodSubnets[0].ToString(), Is.EqualTo("10.10.0.0/16"));
        Assert.That(plan.Warnings, Is.Empty);
    }

    [Test]
    public void Honours_explicit_ranges()
    {
        var mesh = NoBalancer(Mesh(Cluster(1, pods: "10.77.0.0/16", services: "10.78.0.0/16"), Cluster(2, pods: "10.10.0.0/16"), Cluster(3)));
        Assert.That(AddressPlan.For(mesh, Bare, null).Lines(), Is.EqualTo(new[]
        {
            "10.77.0.0/16 10.78.0.0/16",
            "10.10.0.0/16 10.255.10.0/24",
            "10.20.0.0/16 10.255.20.0/24",
        }));
    }

    [Test]
    public void Plans_the_family_that_the_user_did_not_set()
    {
        var mesh = NoBalancer(Mesh(Cluster(1, pods: "fd77::/56,10.77.0.0/16", services: "10.78.0.0/24"))).With(h => h with { IpFamily = IpFamily.Dual });
        Assert.That(AddressPlan.For(mesh, Engine("172.18.0.0/16,fc00::/64"), null).Lines(), Is.EqualTo(new[] { "10.77.0.0/16,fd77::/56 10.78.0.0/24,fd00:255::a:0/112" }));
    }

    [Test]
    public void Lets_clusters_of_different_networks_share_a_range_only_if_explicit()
    {
        var shared = NoBalancer(Mesh(Cluster(1, "network1", "10.244.0.0/16", "10.96.0.0/16"), Cluster(2, "network2", "10.244.0.0/16", "10.96.0.0/16"), Cluster(3, "network3")));
        Assert.That(AddressPlan.For(shared, Bare, null).Lines(), Is.EqualTo(new[] { "10.244.0.0/16 10.96.0.0/16", "10.244.0.0/16 10.96.0.0/16", "10.10.0.0/16 10.255.10.0/24" }));

        var routed = shared.With(h => h with { Routes = RouteScope.All });
        Assert.That(Problems(() => AddressPlan.For(routed, Bare, null)).Select(p => p.Id), Is.EqualTo(new[] { "MT3101", "MT3101" }));
    }

    [Test]
    public void Reports_both_owners_of_every_conflict_at_once()
    {
        var mesh = NoBalancer(Mesh(
            Cluster(1, pods: "10.77.0.0/16", services: "10.77.3.0/24"),
            Cluster(2, pods: "10.77.128.0/17", services: "172.18.0.0/16"),
            Cluster(3, pods: "172.18.4.0/22", services: "10.99.1.0/24"),
            Cluster(4, pods: "169.254.0.0/16", services: "10.78.0.0/24")));
        var engine = Bare with { Routes = [Route("10.99.0.0/16", "wg0")] };
        var lines = Problems(() => AddressPlan.For(mesh, engine, null)).Select(p => $"{p.Id} {p.Location}: {p.Message}").ToList();
        Assert.That(lines, Is.EqualTo(new[]
        {
            "MT3105 cluster1: serviceSubnet 10.77.3.0/24 overlaps podSubnet 10.77.0.0/16 of the same cluster.",
            "MT3101 cluster2: podSubnet 10.77.128.0/17 overlaps the podSubnet 10.77.0.0/16 of cluster1, and both are in one network.",
            "MT3104 cluster2: serviceSubnet 172.18.0.0/16 equals the container network \"kind\" (172.18.0.0/16): Services must not share the nodes' addresses.",
            "MT3101 cluster3: podSubnet 172.18.4.0/22 overlaps the serviceSubnet 172.18.0.0/16 of cluster2, and both are in one network.",
            "MT3102 cluster3: podSubnet 172.18.4.0/22 overlaps the container network \"kind\" (172.18.0.0/16).",
            "MT3103 cluster3: serviceSubnet 10.99.1.0/24 overlaps the route 10.99.0.0/16 via wg0.",
            "MT3110 cluster4: podSubnet 169.254.0.0/16 overlaps addresses that a cluster cannot use (reserved: link-local).",
        }));
    }

    [Test]
    public void Suggests_a_range_that_is_free() =>
        Assert.That(Problems(() => AddressPlan.For(NoBalancer(Mesh(Cluster(1, services: "172.18.0.0/16"))), Bare, null))[0].Hint, Is.EqualTo("Use a free range such as 10.255.10.0/24, or remove serviceSubnet: it is then planned."));

    [TestCase("10.64.0.0/10", "10.255.10.0/24", null)]
    [TestCase("12.0.0.0/7", "10.255.10.0/24", "MT3110")]
    [TestCase("10.10.0.0/24", "10.255.10.0/24", null)]
    [TestCase("10.10.0.0/25", "10.255.10.0/24", "MT3110")]
    [TestCase("10.10.0.0/16", "10.255.10.0/29", "MT3110")]
    [TestCase("10.10.0.0/16", "11.0.0.0/11", "MT3110")]
    [TestCase("fd00::/56", "10.255.10.0/24", "MT3107")]
    [TestCase("10.10.0.0/16,10.11.0.0/16", "10.255.10.0/24", "MT3107")]
    public void Validates_ranges_as_Kubernetes_does(string pods, string services, string? id)
    {
        var mesh = NoBalancer(Mesh(Cluster(1, pods: pods, services: services)));
        if (id is null) Assert.That(AddressPlan.For(mesh, Bare, null).Lines(), Is.EqualTo(new[] { $"{pods} {services}" }));
        else Assert.That(Problems(() => AddressPlan.For(mesh, Bare, null)).Select(p => p.Id), Is.EqualTo(new[] { id }));
    }

    [Test]
    public void Counts_the_nodes_that_a_pod_range_must_hold()
    {
        var mesh = NoBalancer(Mesh(Cluster(1, pods: "10.10.0.0/22", hosting: new KindClusterSpec { Workers = 3 })));
        Assert.That(AddressPlan.For(mesh, Bare, null).Warnings, Is.Empty);
        var more = NoBalancer(Mesh(Cluster(1, pods: "10.10.0.0/22", hosting: new KindClusterSpec { Workers = 4 })));
        Assert.That(Problems(() => AddressPlan.For(more, Bare, null))[0].ToString(), Does.StartWith("MT3110").And.Contain("5 nodes"));
    }

    [TestCase("172.18.0.0/16", IpFamily.Dual, "IPv6")]
    [TestCase("fc00::/64", IpFamily.IPv4, "IPv4")]
    [TestCase("172.18.0.0/16", IpFamily.IPv6, "IPv6")]
    public void Reports_the_IP_family_that_the_network_lacks(string range, IpFamily family, string word)
    {
        var problem = Problems(() => AddressPlan.For(Mesh(1, family), Engine(range), null)).Single();
        Assert.That(problem.ToString(), Does.StartWith($"MT3108 network kind: The container network has no {word} range").And.Contain("docker network rm kind"));
    }

    [Test]
    public void Rejects_an_ambiguous_network_name() =>
        Assert.That(Problems(() => AddressPlan.For(Mesh(1), Engine(Network("kind", "172.18.0.0/16"), Network("kind", "172.19.0.0/16") with { Id = "abcdef0123456789" }), null)).Single().ToString(),
            Does.StartWith("MT3115 network kind: 2 container networks have this name (kind01234567, abcdef012345)."));

    [Test]
    public void Warns_about_a_network_that_overlaps_a_route()
    {
        var warning = AddressPlan.For(Mesh(1), Bare with { Routes = [Route("172.16.0.0/12", "tun0")] }, null).Warnings.Single();
        Assert.That(warning.ToString(), Does.StartWith("MT3114 network kind: The container network 172.18.0.0/16 overlaps the route 172.16.0.0/12 via tun0").And.Contain("such as 10.253.0.0/22"));
    }

    [Test]
    public void Plans_without_pools_if_the_network_does_not_exist_yet()
    {
        var plan = AddressPlan.For(Mesh(1), Engine(), null);
        Assert.That(plan.HasNetwork, Is.False);
        Assert.That(plan.Lines(), Is.EqualTo(new[] { "10.10.0.0/16 10.255.10.0/24" }));
    }

    [Test]
    public void Plans_pools_in_a_network_that_will_be_created()
    {
        var mesh = Mesh(2).With(h => h with { Network = new ContainerNetworkSpec { Create = true, Subnets = [IPNetwork.Parse("10.253.0.0/22")], IpRange = IPNetwork.Parse("10.253.3.0/24") } });
        var plan = AddressPlan.For(mesh, Engine(Network("bridge", "172.17.0.0/16")), null);
        Assert.That(plan.Clusters.Select(c => c.Pool()), Is.EqualTo(new[] { "10.253.2.192-10.253.2.255", "10.253.2.128-10.253.2.191" }));
        Assert.That(Problems(() => AddressPlan.For(mesh, Engine(Network("other", "10.253.2.0/24")), null)).Single().ToString(), Does.StartWith("MT3102 network kind: Its range 10.253.0.0/22 overlaps the container network \"other\""));
    }
}
