using MeshTrust.Kind;
using MeshTrust.Settings;
using static MeshTrust.Tests.Kind.PlannedMesh;

namespace MeshTrust.Tests.Kind;

public sealed class AddressLockTests
{
    private static readonly EngineSnapshot Bare = Engine("172.18.0.0/16");

    private static EngineSnapshot WithNodes(params int[] clusters) =>
        Bare with { Containers = [.. clusters.Select(n => Node($"cluster{n}", $"cluster{n}-control-plane", $"172.18.0.{n + 1}"))] };

    private static AddressLock Again(AddressLock kept) => AddressLock.Parse(kept.ToJson());

    [Test]
    public void Round_trips_through_its_text()
    {
        var plan = AddressPlan.For(Mesh(2, IpFamily.Dual), Engine("172.18.0.0/16,fc00::/64"), null);
        var read = Again(plan.ToLock());
        Assert.That(read.ToJson(), Is.EqualTo(plan.ToLock().ToJson()));
        Assert.That(AddressPlan.For(Mesh(2, IpFamily.Dual), Engine("172.18.0.0/16,fc00::/64"), read).Lines(), Is.EqualTo(plan.Lines()));
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("{\"version\": 2, \"clusters\": []}")]
    [TestCase("{\"version\": 1, \"clusters\": [{\"name\": \"UPPER\"}]}")]
    [TestCase("{\"version\": 1, \"clusters\": [{\"podSubnets\": []}]}")]
    [TestCase("{\"version\": 1, \"clusters\": [{\"name\": \"a\", \"podSubnets\": [\"10.0.0.1/8\"]}]}")]
    [TestCase("{\"version\": 1, \"clusters\": [{\"name\": \"a\", \"loadBalancerPool\": [\"x\"]}]}")]
    [TestCase("{\"version\": 1, \"clusters\": null}")]
    public void Rejects_an_invalid_lock_file(string json)
    {
        var problem = Problems(() => AddressLock.Parse(json, ".meshtrust/lock.json")).Single();
        Assert.That(problem.ToString(), Does.StartWith("MT3119 .meshtrust/lock.json: "));
    }

    [Test]
    public void Adding_clusters_does_not_change_existing_addresses()
    {
        var first = AddressPlan.For(Mesh(2), Bare, null);
        var more = Mesh(Cluster(9), Cluster(2), Cluster(1), Cluster(3));
        Assert.That(AddressPlan.For(more, WithNodes(1, 2), Again(first.ToLock())).Lines(), Is.EqualTo(new[]
        {
            "10.30.0.0/16 10.255.30.0/24 172.18.255.0-172.18.255.63",
            first.Lines()[1],
            first.Lines()[0],
            "10.40.0.0/16 10.255.40.0/24 172.18.254.192-172.18.254.255",
        }));
    }

    [Test]
    public void Keeps_the_addresses_of_a_running_cluster_outside_this_topology()
    {
        var kept = Again(AddressPlan.For(Mesh(2), Bare, null).ToLock());
        var plan = AddressPlan.For(Mesh(Cluster(3)), WithNodes(1, 2), kept);
        Assert.That(plan.Lines(), Is.EqualTo(new[] { "10.30.0.0/16 10.255.30.0/24 172.18.255.0-172.18.255.63" }));
        Assert.That(plan.ToLock().Clusters.Select(c => c.Cluster.Value), Is.EqualTo(new[] { "cluster3", "cluster1", "cluster2" }));
    }

    [Test]
    public void Forgets_a_cluster_that_is_neither_in_the_topology_nor_running()
    {
        var kept = Again(AddressPlan.For(Mesh(2), Bare, null).ToLock());
        var plan = AddressPlan.For(Mesh(Cluster(3)), Bare, kept);
        Assert.That(plan.Lines()[0], Does.StartWith("10.10.0.0/16"));
        Assert.That(plan.ToLock().Clusters, Has.Count.EqualTo(1));
        Assert.That(kept.Without(ClusterName.Parse("cluster1")).Clusters.Select(c => c.Cluster.Value), Is.EqualTo(new[] { "cluster2" }));
    }

    [Test]
    public void Prefers_an_explicit_change_to_the_lock_file()
    {
        var kept = Again(AddressPlan.For(Mesh(1), Bare, null).ToLock());
        var plan = AddressPlan.For(Mesh(Cluster(1, pods: "10.77.0.0/16")), WithNodes(1), kept);
        Assert.That(plan.Clusters[0].PodSubnets[0].ToString(), Is.EqualTo("10.77.0.0/16"));
        Assert.That(plan.ToLock().ToJson(), Does.Contain("\"asked\": [\n        \"podSubnet\"\n      ]"));
    }

    [Test]
    public void Keeps_an_explicit_range_of_a_running_cluster_after_its_setting_is_removed()
    {
        var kept = Again(AddressPlan.For(Mesh(Cluster(1, pods: "10.77.0.0/16")), Bare, null).ToLock());
        Assert.That(AddressPlan.For(Mesh(1), WithNodes(1), kept).Clusters[0].PodSubnets[0].ToString(), Is.EqualTo("10.77.0.0/16"));
        Assert.That(AddressPlan.For(Mesh(1), Bare, kept).Clusters[0].PodSubnets[0].ToString(), Is.EqualTo("10.10.0.0/16"));
    }

    [Test]
    public void Moves_a_conflicting_range_only_if_no_cluster_uses_it()
    {
        var kept = Again(AddressPlan.For(Mesh(1), Bare, null).ToLock());
        var vpn = new HostRoute(System.Net.IPNetwork.Parse("10.10.0.0/16"), "tun0");

        var notThere = AddressPlan.For(Mesh(1), Bare with { Routes = [vpn] }, kept);
        Assert.That(notThere.Clusters[0].PodSubnets[0].ToString(), Is.EqualTo("10.20.0.0/16"));
        Assert.That(notThere.Warnings.Single().Id, Is.EqualTo("MT3113"));

        var there = AddressPlan.For(Mesh(1), WithNodes(1) with { Routes = [vpn] }, kept);
        Assert.That(there.Clusters[0].PodSubnets[0].ToString(), Is.EqualTo("10.10.0.0/16"));
        Assert.That(there.Warnings.Single().ToString(), Does.StartWith("MT3112 cluster1: podSubnet 10.10.0.0/16 overlaps the route 10.10.0.0/16 via tun0."));
    }

    [Test]
    public void Reports_the_new_range_if_it_conflicts_with_a_running_cluster()
    {
        var kept = Again(AddressPlan.For(Mesh(1), Bare, null).ToLock());
        var mesh = Mesh(Cluster(1), Cluster(2, pods: "10.10.0.0/16"));
        var problem = Problems(() => AddressPlan.For(mesh, WithNodes(1), kept)).Single();
        Assert.That(problem.ToString(), Does.StartWith("MT3101 cluster2: podSubnet 10.10.0.0/16 overlaps the podSubnet 10.10.0.0/16 of cluster1, which is running"));
        Assert.That(AddressPlan.For(mesh, Bare, kept).Clusters.Select(c => c.PodSubnets[0].ToString()), Is.EqualTo(new[] { "10.20.0.0/16", "10.10.0.0/16" }));
    }

    [Test]
    public void Plans_new_pools_if_the_network_was_replaced()
    {
        var kept = Again(AddressPlan.For(Mesh(1), Bare, null).ToLock());
        var plan = AddressPlan.For(Mesh(1), Engine("172.19.0.0/16"), kept);
        Assert.That(plan.Clusters[0].Pool(), Is.EqualTo("172.19.255.128-172.19.255.191"));
        Assert.That(plan.Warnings.Single().Id, Is.EqualTo("MT4009"));
    }

    [Test]
    public void Keeps_pools_while_the_network_is_missing()
    {
        var kept = Again(AddressPlan.For(Mesh(1), Bare, null).ToLock());
        Assert.That(AddressPlan.For(Mesh(1), Engine(), kept).ToLock().Clusters[0].Pool(), Is.EqualTo("172.18.255.128-172.18.255.191"));
    }

    [Test]
    public void Keeps_the_pool_of_a_running_cluster_if_the_engine_assigned_one_of_its_addresses()
    {
        var kept = Again(AddressPlan.For(Mesh(1), Bare, null).ToLock());
        var stray = Node("other", "stray", "172.18.255.130");
        var there = AddressPlan.For(Mesh(1), WithNodes(1) with { Containers = [.. WithNodes(1).Containers, stray] }, kept);
        Assert.That(there.Clusters[0].Pool(), Is.EqualTo("172.18.255.128-172.18.255.191"));
        Assert.That(there.Warnings.Single().ToString(), Does.StartWith("MT4009").And.Contain("the container stray (172.18.255.130)"));

        var gone = AddressPlan.For(Mesh(1), Bare with { Containers = [stray] }, kept);
        Assert.That(gone.Clusters[0].Pool(), Is.EqualTo("172.18.255.64-172.18.255.127"));
    }
}
