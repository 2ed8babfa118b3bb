using MeshTrust.Kind;
using MeshTrust.Settings;
using static MeshTrust.Tests.Kind.PlannedMesh;

namespace MeshTrust.Tests.Kind;

public sealed class FoundAddressesTests
{
    private const string Manifests = """
            - --service-account-issuer=https://kubernetes.default.svc.cluster.local
            - --service-cluster-ip-range=10.96.0.0/16
            - --tls-cert-file=/etc/kubernetes/pki/apiserver.crt
            - --cluster-cidr=10.244.0.0/16
            - --cluster-name=theirs
            - --service-cluster-ip-range=10.96.0.0/16
        """;

    private static readonly FoundAddresses Theirs = FoundAddresses.Read("cluster1", Manifests, "", "address-pool");

    private static EngineSnapshot With(params int[] clusters) =>
        Engine("172.18.0.0/16") with { Containers = [.. clusters.Select(n => Node($"cluster{n}", $"cluster{n}-control-plane", $"172.18.0.{n + 1}"))] };

    private static AddressLock Again(AddressPlan plan) => AddressLock.Parse(plan.ToLock().ToJson());

    [Test]
    public void Reads_the_ranges_that_the_control_plane_runs_with()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string.Join(' ', Theirs.PodSubnets), string.Join(' ', Theirs.ServiceSubnets), Theirs.IpFamily, Theirs.HasRanges), Is.EqualTo(("10.244.0.0/16", "10.96.0.0/16", IpFamily.IPv4, true)));
            var dual = FoundAddresses.Read("d", "- --cluster-cidr=fd00:10:244::/56,10.244.0.0/16\n- '--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112'", "", "");
            Assert.That((string.Join(' ', dual.PodSubnets), string.Join(' ', dual.ServiceSubnets), dual.IpFamily), Is.EqualTo(("10.244.0.0/16 fd00:10:244::/56", "10.96.0.0/16 fd00:10:96::/112", IpFamily.Dual)));
            Assert.That(FoundAddresses.Read("n", "cat: /etc/kubernetes/manifests/kube-apiserver.yaml: No such file or directory", "", "").HasRanges, Is.False);
        }
    }

    [Test]
    public void Distinguishes_its_own_pool_from_others()
    {
        var found = FoundAddresses.Read("c", "", "default-pool 172.18.255.1-172.18.255.9 fc00::/120\naddress-pool 172.18.255.64/26\n\nalone\nbad x\n", "address-pool");
        Assert.That((string.Join(' ', found.LoadBalancerPool), string.Join(' ', found.FurtherPools)), Is.EqualTo(("172.18.255.64-172.18.255.127", "172.18.255.1-172.18.255.9 fc00::-fc00::ff")));
    }

    [Test]
    public void An_adopted_cluster_keeps_its_ranges_and_others_avoid_them()
    {
        var mesh = Mesh(Cluster(1, "one"), Cluster(2, "one"));
        var plan = AddressPlan.For(mesh, With(1), null, [Theirs], adopts: true);
        Assert.That(plan.Lines(), Is.EqualTo(new[]
        {
            "10.244.0.0/16 10.96.0.0/16 172.18.255.128-172.18.255.191",
            "10.10.0.0/16 10.255.10.0/24 172.18.255.64-172.18.255.127",
        }));

        // From then on the lock file has it, in every run; once the cluster is gone, it gets the address of the scheme.
        var second = AddressPlan.For(mesh, With(1), Again(plan));
        var third = AddressPlan.For(mesh, With(1), Again(second));
        Assert.That((second.Lines(), third.Lines()), Is.EqualTo((plan.Lines(), plan.Lines())));
        Assert.That(AddressPlan.For(mesh, With(), Again(third)).Lines()[0], Does.StartWith("10.20.0.0/16 10.255.20.0/24"));
    }

    [Test]
    public void The_topology_takes_precedence_over_found_addresses() =>
        Assert.That(AddressPlan.For(Mesh(Cluster(1, pods: "10.77.0.0/16")), With(1), null, [Theirs], adopts: true).Lines()[0], Does.StartWith("10.77.0.0/16 10.96.0.0/16"));

    [Test]
    public void Without_adopt_it_is_foreign()
    {
        var plan = AddressPlan.For(Mesh(1), With(1), null, [Theirs]);
        Assert.That((plan.Clusters[0].PodSubnets[0].ToString(), plan.TakenOver.Count), Is.EqualTo(("10.10.0.0/16", 0)));
    }

    [Test]
    public void Two_clusters_with_the_same_ranges_cannot_both_be_adopted_into_one_network()
    {
        var found = new[] { Theirs, Theirs with { Cluster = "cluster2" } };
        var problems = Problems(() => AddressPlan.For(Mesh(2), With(1, 2), null, found, adopts: true));
        Assert.That(problems.Select(p => p.Id), Is.EqualTo(new[] { "MT3101", "MT3101" }));
        Assert.That(problems[0].ToString(), Does.StartWith("MT3101 cluster2: podSubnet 10.244.0.0/16 overlaps the podSubnet 10.244.0.0/16 of cluster1, both clusters exist, and both are in one network.").And.Contain("different networks").And.Contain("--force"));

        var apart = AddressPlan.For(Mesh(Cluster(1, "one"), Cluster(2, "two")), With(1, 2), null, found, adopts: true);
        Assert.That(apart.Clusters.Select(c => c.PodSubnets[0].ToString()), Is.All.EqualTo("10.244.0.0/16"));
    }

    [Test]
    public void Keeps_its_pool_with_the_MeshTrust_name_and_avoids_its_other_pools()
    {
        var found = Theirs with { LoadBalancerPool = [IpRange.Parse("172.18.255.0-172.18.255.63")], FurtherPools = [IpRange.Parse("172.18.255.128-172.18.255.191")] };
        Assert.That(AddressPlan.For(Mesh(2), With(1), null, [found], adopts: true).Clusters.Select(c => c.Pool()), Is.EqualTo(new[] { "172.18.255.0-172.18.255.63", "172.18.255.64-172.18.255.127" }));
    }

    [Test]
    public void Avoids_the_actual_ranges_of_a_cluster_outside_the_topology_instead_of_the_defaults_of_kind()
    {
        var mesh = Mesh(2).With(h => h with { Addressing = new AddressingSpec { PodBase = System.Net.IPNetwork.Parse("10.240.0.0/13"), PodStep = 4 } });
        var engine = Engine("172.18.0.0/16") with { Containers = [Node("my.own", "my.own-control-plane", "172.18.0.9")] };
        var found = FoundAddresses.Read("my.own", "--cluster-cidr=10.245.0.0/16 --service-cluster-ip-range=10.255.10.0/24", "", "");
        Assert.That(AddressPlan.For(mesh, engine, null, [found]).Clusters.Select(c => $"{c.PodSubnets[0]} {c.ServiceSubnets[0]}"), Is.EqualTo(new[] { "10.244.0.0/16 10.255.4.0/24", "10.241.0.0/16 10.255.8.0/24" }));
        Assert.That(AddressPlan.For(mesh, engine, null, [found with { PodSubnets = [] }]).Clusters[0].PodSubnets[0].ToString(), Is.EqualTo("10.241.0.0/16"), "they could not be read: kind's defaults are assumed");
    }

    [Test]
    public void An_explicit_pool_is_kept_after_its_setting_is_removed_in_every_later_run()
    {
        var named = Mesh(Cluster(1, hosting: new KindClusterSpec { LoadBalancerPool = [IpRange.Parse("172.18.250.1-172.18.250.4")] }));
        var kept = Again(AddressPlan.For(named, With(1), null));
        for (var run = 0; run < 3; run++)
        {
            var plan = AddressPlan.For(Mesh(1), With(1), kept);
            Assert.That(plan.Clusters[0].Pool(), Is.EqualTo("172.18.250.1-172.18.250.4"));
            kept = Again(plan);
        }
    }
}
