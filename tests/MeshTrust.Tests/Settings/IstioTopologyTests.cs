using System.Text.Json;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class IstioTopologyTests
{
    [TestCase("single.json", "istio-testing")]
    [TestCase("multicluster.json", "primary,remote,cross-network-primary")]
    [TestCase("multicluster-large.json", "primary-1,remote,primary-2,cross-network-primary,cross-network-remote")]
    [TestCase("ambient-multicluster.json", "primary,cross-network-primary")]
    [TestCase("ambient-multicluster-large.json", "primary-1,primary-2,cross-network-primary-1")]
    [TestCase("external-istiod.json", "config,external")]
    [TestCase("external-istiod-multicluster.json", "config,remote,external")]
    public void Loads_Istios_own_files_in_their_order(string file, string names)
    {
        var settings = Load(file, file == "multicluster-large.json" ? "--istio-compat" : "");
        Assert.That(string.Join(',', settings.Topology.Clusters.Select(c => c.Name)), Is.EqualTo(names));
        Assert.That(settings.Topology.Clusters.Select(c => (c.PodSubnets.Count, c.ServiceSubnets.Count, c.Network is null)), Is.All.EqualTo((1, 1, false)));
    }

    [Test]
    public void Reads_the_settings_of_a_cluster_from_the_file()
    {
        var remote = Load("external-istiod-multicluster.json").Topology.Clusters[1];
        using (Assert.EnterMultipleScope())
        {
            Assert.That((remote.Name.Value, remote.Network, remote.Primary?.Value, remote.Config?.Value), Is.EqualTo(("remote", "network-2", "external", "config")));
            Assert.That((remote.PodSubnets[0].ToString(), remote.ServiceSubnets[0].ToString()), Is.EqualTo(("10.30.0.0/16", "10.255.30.0/24")));
            Assert.That(remote.Meta?.GetRawText(), Is.EqualTo("""{"fakeVM":false}"""));
        }
    }

    [Test]
    public void Rejects_the_misspelt_key_of_Istios_own_file_with_a_suggestion()
    {
        var fault = Assert.Throws<MeshTrustException>(() => Load("multicluster-large.json"))!;
        Assert.That(fault.Problems.Select(p => p.Location), Is.EqualTo(["multicluster-large.json[1]", "multicluster-large.json[4]"]));
        Assert.That(fault.Problems[0].ToString(), Does.StartWith(
            "MT0102 multicluster-large.json[1]: unknown key \"controlPlaneClusterName\"; did you mean \"primaryClusterName\"? Value \"primary\" is not a cluster in this file (primary-1, primary-2, …)"));
        Assert.That(fault.Problems[0].Hint, Does.Contain("line 13").And.Contain("--istio-compat"));
    }

    [Test]
    public void Ignores_the_misspelt_key_with_a_warning_on_request()
    {
        var settings = Load("multicluster-large.json", "--istio-compat");
        Assert.That(settings.Warnings.Select(w => (w.Id, w.Severity)), Is.All.EqualTo(("MT0102", Severity.Warning)));
        Assert.That(settings.Warnings, Has.Count.EqualTo(2));
        Assert.That(settings.Topology.Clusters[1].Primary, Is.Null);
    }

    [Test]
    public void Accepts_the_aliases_of_the_provisioner_script()
    {
        var cluster = Bind("""[{"cluster_name": "a", "pod_subnet": "10.1.0.0/16", "svc_subnet": "10.2.0.0/24", "network_id": "n"}]""").Topology.Clusters.Single();
        Assert.That((cluster.Name.Value, cluster.PodSubnets[0].ToString(), cluster.ServiceSubnets[0].ToString(), cluster.Network), Is.EqualTo(("a", "10.1.0.0/16", "10.2.0.0/24", "n")));
    }

    [TestCase("\"null\"")]
    [TestCase("null")]
    [TestCase("\"\"")]
    public void Treats_a_missing_network_as_none(string network) =>
        Assert.That(Bind($$"""[{"clusterName": "a", "network": {{network}}}]""").Topology.Clusters[0].Network, Is.Null);

    [Test]
    public void Skips_clusters_that_are_not_Kubernetes_and_says_so()
    {
        var settings = Bind("""
            [{"kind": "Kubernetes", "clusterName": "a"},
             {"kind": "StaticVM", "clusterName": "vm", "meta": {"deployments": []}},
             {"kind": "Fake", "clusterName": "f"}]
            """);
        Assert.That(settings.Topology.Clusters.Select(c => c.Name.Value), Is.EqualTo(["a"]));
        Assert.That(settings.Warnings.Select(w => (w.Id, w.Location)), Is.EqualTo(new[] { ("MT0119", "t.json:2"), ("MT0119", "t.json:3") }));
    }

    [Test]
    public void Carries_proxy_and_meta_verbatim()
    {
        const string Meta = """{"kubeconfig":"/k/a","fakeVM":true,"list":[1,2.5,"x",null],"deep":{"ä":"ö"}}""";
        var cluster = Bind($$"""[{"clusterName": "a", "httpProxy": "http://proxy:3128", "proxyKubectlOnly": true, "meta": {{Meta}}}]""").Topology.Clusters[0];
        Assert.That((cluster.HttpProxy, cluster.ProxyKubectlOnly, cluster.Kubeconfig), Is.EqualTo(("http://proxy:3128", (bool?)true, "/k/a")));
        var meta = cluster.Meta!.Value;
        Assert.That(meta.EnumerateObject().Select(p => p.Name), Is.EqualTo(["kubeconfig", "fakeVM", "list", "deep"]));
        Assert.That(meta.GetProperty("list").EnumerateArray().Select(e => e.ValueKind), Is.EqualTo([JsonValueKind.Number, JsonValueKind.Number, JsonValueKind.String, JsonValueKind.Null]));
        Assert.That(meta.GetProperty("deep").GetProperty("ä").GetString(), Is.EqualTo("ö"));
    }

    [Test]
    public void A_kubeconfig_in_meta_selects_existing_clusters()
    {
        var topology = Bind("""[{"clusterName": "a", "meta": {"kubeconfig": "/k/a"}}, {"clusterName": "b", "meta": {"kubeconfig": "/k/b"}}]""").Topology;
        Assert.That(topology.EffectiveProvider, Is.EqualTo(ProviderChoice.Existing));
    }

    [Test]
    public void Reads_what_SetContexts_writes()
    {
        var topology = Bind("""[{"clusterName": "a", "network": "n", "podSubnet": "10.1.0.0/16,fd00:1::/64", "svcSubnet": "10.2.0.0/24", "httpProxy": "http://p", "proxyKubectlOnly": false, "meta": {"fakeVM": false, "x": [1]}}, {"clusterName": "b", "network": "m", "primaryClusterName": "a", "configClusterName": "a"}]""").Topology;
        var text = ContextExport.Topology(topology, [.. topology.Clusters.Select(c => new ClusterAccess { Name = c.Name, KubeconfigPath = $"/k/{c.Name}", ContextName = "x" })]);
        var again = Bind(text).Topology;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(again.EffectiveProvider, Is.EqualTo(ProviderChoice.Existing));
            for (var i = 0; i < 2; i++)
            {
                var (one, other) = (topology.Clusters[i], again.Clusters[i]);
                Assert.That((other.Name, other.Network, other.Primary, other.Config, other.HttpProxy, other.ProxyKubectlOnly), Is.EqualTo((one.Name, one.Network, one.Primary, one.Config, one.HttpProxy, one.ProxyKubectlOnly)));
                Assert.That(other.PodSubnets, Is.EqualTo(one.PodSubnets));
                Assert.That(other.ServiceSubnets, Is.EqualTo(one.ServiceSubnets));
                Assert.That(other.Kubeconfig, Is.EqualTo($"/k/{one.Name}"));
            }

            Assert.That(again.Clusters[0].Meta?.GetProperty("x")[0].GetInt32(), Is.EqualTo(1));
        }
    }

    [Test]
    public void Does_not_expand_variables()
    {
        var cluster = Bind("""[{"clusterName": "a", "httpProxy": "${HOME}"}]""").Topology.Clusters[0];
        Assert.That(cluster.HttpProxy, Is.EqualTo("${HOME}"));
    }

    private static MeshTrustSettings Load(string file, string commandLine = "") =>
        TopologySamples.Bind(commandLine, File.ReadAllText(Path.Combine(TopologySamples.IstioDirectory, file)), file);

    private static MeshTrustSettings Bind(string text) => TopologySamples.Bind("", text, "t.json");
}
