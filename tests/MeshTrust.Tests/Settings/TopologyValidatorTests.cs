using System.Net;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class TopologyValidatorTests
{
    [Test]
    public void Finds_no_problem_in_a_valid_topology_built_in_code() => Assert.That(TopologyValidator.Validate(Mesh(Cluster("a"), Cluster("b") with { Primary = Name("a") })), Is.Empty);

    [Test]
    public void Reports_a_topology_without_clusters() => Assert.That(TopologyValidator.Validate(Mesh()).Single().Id, Is.EqualTo("MT0121"));

    [Test]
    public void Reports_all_problems_at_once_with_cluster_names()
    {
        var problems = TopologyValidator.Validate(Mesh(
            Cluster("a") with { Primary = Name("x"), PodSubnets = [Range("10.0.0.0/8")] },
            Cluster("a"),
            Cluster("b") with { Config = Name("y"), ServiceSubnets = [Range("10.1.0.0/16")] }));
        Assert.That(problems.Select(p => (p.Id, p.Location)), Is.EquivalentTo(new[] { ("MT0111", "a"), ("MT0112", "a"), ("MT0112", "b"), ("MT0114", "b") }));
    }

    [Test]
    public void Reports_a_cycle_once()
    {
        var problems = TopologyValidator.Validate(Mesh(
            Cluster("a") with { Primary = Name("b") }, Cluster("b") with { Primary = Name("c") }, Cluster("c") with { Primary = Name("a") }));
        Assert.That((problems.Single().Id, problems[0].Message), Is.EqualTo(("MT0113", "The primary references form a cycle: a → b → c → a.")));
    }

    [Test]
    public void Compares_each_range_with_the_widest_before_it()
    {
        var problems = TopologyValidator.Validate(Mesh(
            Cluster("a") with { PodSubnets = [Range("10.0.0.0/8")] }, Cluster("b") with { PodSubnets = [Range("10.1.0.0/16")] }, Cluster("c") with { PodSubnets = [Range("10.200.0.0/16")] }, Cluster("d") with { PodSubnets = [Range("11.0.0.0/8")] }));
        Assert.That(problems.Select(p => p.Location), Is.EqualTo(["b", "c"]));
    }

    [Test]
    public void Accepts_the_whole_address_space()
    {
        var problems = TopologyValidator.Validate(Mesh(Cluster("a") with { PodSubnets = [Range("::/0")] }, Cluster("b") with { PodSubnets = [Range("ffff::/16"), Range("0.0.0.0/0")] }));
        Assert.That(problems.Single().Location, Is.EqualTo("b"));
    }

    [Test]
    public void Allows_the_same_context_name_in_two_kubeconfigs() =>
        Assert.That(TopologyValidator.Validate(Mesh(Cluster("a") with { Context = "x", Kubeconfig = "1" }, Cluster("b") with { Context = "x", Kubeconfig = "2" })), Is.Empty);

    private static MeshTopology Mesh(params ClusterSpec[] clusters) => new() { Clusters = clusters };

    private static ClusterSpec Cluster(string name) => new() { Name = Name(name) };

    private static IPNetwork Range(string text) => IPNetwork.Parse(text);

    private static ClusterName Name(string name) => ClusterName.Parse(name);
}
