using System.Net;
using MeshTrust.Kind;
using MeshTrust.Settings;
using static MeshTrust.Tests.Kind.PlannedMesh;

namespace MeshTrust.Tests.Kind;

public sealed class PoolPlanTests
{
    private static IEnumerable<string> Pools(MeshTopology mesh, EngineSnapshot engine) => AddressPlan.For(mesh, engine, null).Clusters.Select(c => c.Pool());

    private static MeshTopology WithPools(params string[] pools) =>
        Mesh([.. pools.Select((p, i) => Cluster(i + 1, hosting: new KindClusterSpec { LoadBalancerPool = p.Length == 0 ? [] : [.. p.Split(',').Select(IpRange.Parse)] }))]);

    [TestCase("172.18.0.0/16", 2, "172.18.255.128-172.18.255.191", "172.18.255.64-172.18.255.127")]
    [TestCase("172.18.0.0/24", 2, "172.18.0.128-172.18.0.191", "172.18.0.64-172.18.0.127")]
    [TestCase("172.18.0.0/24", 5, "172.18.0.192-172.18.0.223", "172.18.0.160-172.18.0.191", "172.18.0.128-172.18.0.159", "172.18.0.96-172.18.0.127", "172.18.0.64-172.18.0.95")]
    [TestCase("172.18.0.0/25", 2, "172.18.0.96-172.18.0.111", "172.18.0.80-172.18.0.95")]
    [TestCase("172.18.0.0/26", 2, "172.18.0.48-172.18.0.55", "172.18.0.40-172.18.0.47")]
    [TestCase("172.18.0.0/20", 3, "172.18.15.128-172.18.15.191", "172.18.15.64-172.18.15.127", "172.18.15.0-172.18.15.63")]
    [TestCase("192.168.97.0/24", 1, "192.168.97.128-192.168.97.191")]
    [TestCase("fc00:f853:ccd:e793::/64", 3, "fc00:f853:ccd:e793:ffff:ffff:ffff:ff40-fc00:f853:ccd:e793:ffff:ffff:ffff:ff7f", "fc00:f853:ccd:e793:ffff:ffff:ffff:ff00-fc00:f853:ccd:e793:ffff:ffff:ffff:ff3f", "fc00:f853:ccd:e793:ffff:ffff:ffff:fec0-fc00:f853:ccd:e793:ffff:ffff:ffff:feff")]
    [TestCase("fd00::/120", 2, "fd00::60-fd00::7f", "fd00::40-fd00::5f")]
    [TestCase("fc00::/8", 1, "fcff:ffff:ffff:ffff:ffff:ffff:ffff:ff40-fcff:ffff:ffff:ffff:ffff:ffff:ffff:ff7f")]
    public void Walks_down_from_the_top_in_aligned_blocks(string range, int count, params string[] pools)
    {
        var family = range.Contains(':', StringComparison.Ordinal) ? IpFamily.IPv6 : IpFamily.IPv4;
        Assert.That(Pools(Mesh(count, family), Engine(range)), Is.EqualTo(pools));
    }

    [TestCase("172.18.0.0/27", 4, 0)]
    [TestCase("172.18.0.0/26", 5, 30)]
    [TestCase("172.18.0.0/30", 1, 0)]
    [TestCase("172.18.0.0/31", 1, 0)]
    [TestCase("172.18.0.0/32", 1, 0)]
    [TestCase("172.18.0.0/24", 24, 191)]
    public void Reports_that_a_network_is_too_small(string range, int count, int free) =>
        Assert.That(Problems(() => AddressPlan.For(Mesh(count), Engine(range), null)).Single().ToString(),
            Is.EqualTo($"MT4004 load balancers: kind network {range} cannot hold {count} pools of 8 addresses; free {free}. Recreate it with a /24 or larger, or use fewer clusters."));

    [TestCase("fd00::/121", 1)]
    [TestCase("fd00::/126", 1)]
    [TestCase("fd00::/120", 13)]
    public void Reports_that_an_IPv6_network_is_too_small(string range, int count) =>
        Assert.That(Problems(() => AddressPlan.For(Mesh(count, IpFamily.IPv6), Engine(range), null)).Single().ToString(), Does.StartWith($"MT4004 load balancers: kind network {range} cannot hold {count} pools of 8").And.Contain("/112"));

    [Test]
    public void Avoids_gateway_auxiliary_addresses_and_containers()
    {
        var network = Network("kind") with
        {
            Subnets = [new EngineSubnet { Range = IPNetwork.Parse("172.18.0.0/24"), Gateway = IPAddress.Parse("172.18.0.190"), Auxiliary = [IPAddress.Parse("172.18.0.100")] }],
            Members = new Dictionary<string, IReadOnlyList<IPAddress>> { ["kindccm-abc"] = [IPAddress.Parse("172.18.0.200")] },
        };
        // Stopped containers get the same address when they start.
        var engine = Engine(network) with { Containers = [Node("x", "x-control-plane", "172.18.0.230", isRunning: false)] };
        Assert.That(Pools(Mesh(2), engine), Is.EqualTo(new[] { "172.18.0.128-172.18.0.159", "172.18.0.64-172.18.0.95" }));
    }

    [Test]
    public void Avoids_pools_of_clusters_that_it_did_not_plan() =>
        Assert.That(AddressPlan.For(Mesh(1), Engine("172.18.0.0/16"), null, [new FoundAddresses { Cluster = "other", FurtherPools = [IpRange.Parse("172.18.255.128-172.18.255.129")] }]).Clusters[0].Pool(), Is.EqualTo("172.18.255.64-172.18.255.127"));

    [Test]
    public void Uses_everything_outside_the_range_for_containers()
    {
        var network = Network("kind") with { Subnets = [new EngineSubnet { Range = IPNetwork.Parse("172.18.0.0/24"), IpRange = IPNetwork.Parse("172.18.0.128/25") }] };
        Assert.That(Pools(Mesh(1), Engine(network)), Is.EqualTo(new[] { "172.18.0.64-172.18.0.127" }));
        Assert.That(Pools(Mesh(3), Engine(network)), Is.EqualTo(new[] { "172.18.0.96-172.18.0.127", "172.18.0.64-172.18.0.95", "172.18.0.32-172.18.0.63" }));
    }

    [Test]
    public void Plans_blocks_of_the_requested_size()
    {
        var mesh = Mesh(2).With(h => h with { LoadBalancer = new LoadBalancerSpec { PoolSize = 256, MinPoolSize = 128 } });
        Assert.That(Pools(mesh, Engine("172.18.0.0/16")), Is.EqualTo(new[] { "172.18.254.0-172.18.254.255", "172.18.253.0-172.18.253.255" }));
        Assert.That(Problems(() => AddressPlan.For(mesh, Engine("172.18.0.0/24"), null)).Single().Message, Does.Contain("2 pools of 128 addresses"));
    }

    [TestCase(nameof(LoadBalancerKind.None))]
    [TestCase(nameof(LoadBalancerKind.CloudProviderKind))]
    public void Plans_no_pool_without_MetalLB(string kind) =>
        Assert.That(Pools(Mesh(40).With(h => h with { LoadBalancer = new LoadBalancerSpec { Kind = Enum.Parse<LoadBalancerKind>(kind) } }), Engine("172.18.0.0/28")), Has.All.Empty);

    [Test]
    public void Uses_explicit_pools() =>
        Assert.That(Pools(WithPools("172.18.255.200-172.18.255.240", "172.18.250.0/24,172.18.249.7", ""), Engine("172.18.0.0/16")), Is.EqualTo(new[]
        {
            "172.18.255.200-172.18.255.240",
            "172.18.250.0-172.18.250.255 172.18.249.7-172.18.249.7",
            "172.18.255.128-172.18.255.191",
        }));

    [TestCase("172.18.0.0/24", "MT4002")]
    [TestCase("172.18.0.0-172.18.0.9", "MT4002")]
    [TestCase("172.18.255.250-172.18.255.255", "MT4002")]
    [TestCase("172.19.0.1-172.19.0.9", "MT4002")]
    [TestCase("fd00::1-fd00::9", "MT4002")]
    [TestCase("172.18.0.1-172.18.0.9", "MT4003")]
    public void Validates_explicit_pools(string pool, string id) =>
        Assert.That(Problems(() => AddressPlan.For(WithPools(pool), Engine("172.18.0.0/16"), null)).Select(p => $"{p.Id} {p.Location}"), Is.EqualTo(new[] { $"{id} cluster1" }));

    [Test]
    public void Rejects_one_pool_for_two_clusters_and_names_both() =>
        Assert.That(Problems(() => AddressPlan.For(WithPools("172.18.255.0/25", "172.18.255.100-172.18.255.200"), Engine("172.18.0.0/16"), null)).Single().ToString(),
            Does.StartWith("MT4005 cluster2: Load-balancer pool 172.18.255.100-172.18.255.200 overlaps the pool 172.18.255.0-172.18.255.127 of cluster1."));

    [Test]
    public void Rejects_a_pool_with_a_node_in_it()
    {
        var engine = Engine("172.18.0.0/16") with { Containers = [Node("cluster1", "cluster1-control-plane", "172.18.0.5")] };
        Assert.That(Problems(() => AddressPlan.For(WithPools("172.18.0.2-172.18.0.9"), engine, null)).Single().Message, Does.Contain("the container cluster1-control-plane (172.18.0.5)"));
    }

    [Test]
    public void Warns_about_a_pool_in_the_range_for_containers() =>
        Assert.That(AddressPlan.For(WithPools("172.18.1.0/24"), Engine("172.18.0.0/16"), null).Warnings.Select(w => w.Id), Is.EqualTo(new[] { "MT4008" }));

    [Test]
    public void Warns_about_an_IP_family_that_an_explicit_pool_lacks()
    {
        var plan = AddressPlan.For(WithPools("172.18.255.0/25").With(h => h with { IpFamily = IpFamily.Dual }), Engine("172.18.0.0/16,fc00::/64"), null);
        Assert.That(plan.Warnings.Single().ToString(), Does.StartWith("MT4007 cluster1").And.Contain("IPv6"));
    }

    private static MeshTopology IpSpace(int number, int count, IpFamily family = IpFamily.IPv4) => Mesh(count, family).With(h => h with { LoadBalancer = new LoadBalancerSpec { IpSpace = number } });

    [Test]
    public void Assigns_pools_downwards_from_the_ip_space_of_setupkind() =>
        Assert.That(Pools(IpSpace(255, 2), Engine("172.18.0.0/16")), Is.EqualTo(new[] { "172.18.255.200-172.18.255.240", "172.18.254.200-172.18.254.240" }));

    [Test]
    public void Writes_the_ip_space_of_IPv6_as_setupkind_does() =>
        Assert.That(Pools(IpSpace(255, 1, IpFamily.IPv6), Engine("fc00:f853:ccd:e793::/64")), Is.EqualTo(new[] { "fc00:f853:ccd:e793::255:200-fc00:f853:ccd:e793::255:240" }));

    [TestCase("192.168.97.0/24", 255, "MT4006")]
    [TestCase("172.18.0.0/20", 255, "MT4006")]
    [TestCase("172.18.0.0/16", 0, "MT4006")]
    public void Rejects_an_ip_space_outside_the_network(string range, int number, string id)
    {
        var problem = Problems(() => AddressPlan.For(IpSpace(number, 2), Engine(range), null)).First(p => p.Location == "cluster2");
        Assert.That(problem.Id, Is.EqualTo(id));
    }
}
