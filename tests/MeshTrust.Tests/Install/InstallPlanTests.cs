using MeshTrust.Install;
using MeshTrust.Settings;
using MeshTrust.Tests.Live;

namespace MeshTrust.Tests.Install;

/// <summary>Values and scripts for every kind of mesh, one golden file each: a reviewer sees how a change affects an installation.</summary>
public sealed class InstallPlanTests
{
    public static IEnumerable<TestCaseData> Meshes()
    {
        yield return Mesh("multi-primary", Cluster("east", "net1"), Cluster("west", "net1"));
        yield return Mesh("multi-primary-multi-network", Cluster("east", "net1"), Cluster("west", "net2"));
        yield return Mesh("primary-remote", Cluster("east", "net1"), Cluster("west", "net1", "east"));
        yield return Mesh("primary-remote-multi-network", Cluster("east", "net1"), Cluster("west", "net2", "east"));
        yield return Mesh("mixture", Cluster("remote", "net2", "east"), Cluster("east", "net1"), Cluster("west", "net3"), Cluster("plain", null, "west"));
        yield return Mesh("ambient", mode: DataPlaneMode.Ambient, clusters: [Cluster("east", "net1"), Cluster("west", "net2")]);
        yield return Mesh("trust-domains", Cluster("east", "net1") with { TrustDomain = "east.corp" }, Cluster("west", "net1"));
    }

    [TestCaseSource(nameof(Meshes))]
    public void Files_match_the_golden_file(string name, MeshTopology topology)
    {
        var istio = name == "mixture" ? new IstioChoice("1.31.2", "canary") : new IstioChoice("1.31", "");
        Assert.That(InstallPlan.Problems(topology), Is.Empty);
        Golden.CompareText($"tests/MeshTrust.Tests/Install/{name}.golden.txt", string.Join('\n', Files(topology, istio).Select(f => $"=== {f.Path}\n{f.Text}")));
    }

    [Test]
    public void Writes_a_known_gateway_address_and_does_not_wait_for_one()
    {
        var topology = Topology(DataPlaneMode.Sidecar, Cluster("east", "net1"), Cluster("west", "net1", "east"));
        var files = InstallPlan.Files(topology, Contexts(topology), new Dictionary<ClusterName, string> { [ClusterName.Parse("east")] = "172.18.0.9" }, new("1.31", ""), "/merged");

        Assert.That(files.Single(f => f.Path == "west/istiod.yaml").Text, Does.Contain("remotePilotAddress: \"172.18.0.9\""));
        Assert.That(files.Single(f => f.Path == "install.sh").Text, Does.Not.Contain("pilot=$("));
    }

    [Test]
    public void Ambient_needs_its_own_istiod_and_network_everywhere()
    {
        var topology = Topology(DataPlaneMode.Ambient, Cluster("east", null), Cluster("west", "net2", "east"));
        Assert.That(InstallPlan.Problems(topology).Select(p => (p.Id, p.Location)), Is.EqualTo(new[] { ("MT6101", "west"), ("MT6102", "east") }));
    }

    [TestCase("1.32", true)]
    [TestCase("1.32.4", true)]
    [TestCase("1.3", false)]
    [TestCase("1.31.1", false)]
    public void Only_the_version_whose_charts_were_rendered_counts_as_checked(string version, bool isChecked) =>
        Assert.That(new IstioChoice(version, "").IsChecked, Is.EqualTo(isChecked));

    [Test]
    public void Writes_only_what_changed_and_makes_scripts_executable()
    {
        using var scratch = new ScratchDirectory();
        var file = new InstallFile("install.sh", "#!/bin/sh\n");
        Assert.That((file.WriteTo(scratch.Location), file.WriteTo(scratch.Location)), Is.EqualTo((true, false)));
        if (!OperatingSystem.IsWindows())
            Assert.That(File.GetUnixFileMode(scratch.File("install.sh")).HasFlag(UnixFileMode.UserExecute), Is.True);
    }

    private static IReadOnlyList<InstallFile> Files(MeshTopology topology, IstioChoice istio) =>
        InstallPlan.Files(topology, Contexts(topology), new Dictionary<ClusterName, string>(), istio, "/mesh/kubeconfig/merged");

    private static Dictionary<ClusterName, string> Contexts(MeshTopology topology) =>
        topology.Clusters.ToDictionary(c => c.Name, c => c.Name.Value == "plain" ? "arn:aws:eks/o'brien cluster" : $"kind-{c.Name}");

    private static TestCaseData Mesh(string name, params ClusterSpec[] clusters) => Mesh(name, DataPlaneMode.Sidecar, clusters);

    private static TestCaseData Mesh(string name, DataPlaneMode mode, ClusterSpec[] clusters) =>
        new TestCaseData(name, Topology(mode, clusters)).SetArgDisplayNames(name);

    private static MeshTopology Topology(DataPlaneMode mode, params ClusterSpec[] clusters) => new() { Name = "mesh1", Clusters = clusters, Mode = mode };

    private static ClusterSpec Cluster(string name, string? network, string? primary = null) => new()
    {
        Name = ClusterName.Parse(name), Network = network, Primary = primary is null ? null : ClusterName.Parse(primary),
    };
}
