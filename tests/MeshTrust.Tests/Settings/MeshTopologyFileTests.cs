using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class MeshTopologyFileTests
{
    [TestCaseSource(typeof(TopologySamples), nameof(TopologySamples.SampleFiles))]
    public void Loads_every_sample(string path)
    {
        var settings = TopologySamples.Bind("", File.ReadAllText(path), path);
        Assert.That(settings.Topology.Clusters, Has.Count.GreaterThanOrEqualTo(2));
        Assert.That(settings.Warnings, Is.Empty);
    }

    [Test]
    public void Has_the_six_samples() =>
        Assert.That(TopologySamples.SampleFiles.Select(Path.GetFileNameWithoutExtension), Is.SupersetOf(new[] { "two-clusters", "multi-network", "ambient", "existing", "ecdsa", "kind" }));

    [Test]
    public void Reads_what_each_sample_demonstrates()
    {
        var network = Sample("multi-network");
        var ambient = Sample("ambient");
        var existing = Sample("existing");
        var ecdsa = Sample("ecdsa");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(network.Clusters.Select(c => (c.Network, c.Primary?.Value)), Is.EqualTo(new[] { ("network-1", null), ("network-1", "primary"), ("network-2", null) }));
            Assert.That((ambient.Mode, ambient.Trust.TrustDomain, ambient.Trust.RenewBefore.Percent), Is.EqualTo((DataPlaneMode.Ambient, "mesh.example", (int?)25)));
            Assert.That((existing.EffectiveProvider, existing.Clusters[1].Context, existing.Trust.MinimalChain), Is.EqualTo((ProviderChoice.Existing, "admin@west", true)));
            Assert.That(existing.Clusters[1].Kubeconfig, Is.EqualTo(Path.Combine("dir", "west.kubeconfig")), "a path counts from the file's directory");
            Assert.That((existing.Trust.RootCertificateFile, existing.Trust.RootKeyFile), Is.EqualTo((Path.Combine("dir", "pki/root-cert.pem"), Path.Combine("dir", "pki/root-key.pem"))));
            Assert.That((ecdsa.Trust.Root.Key, ecdsa.Trust.Intermediate.Key, ecdsa.Trust.Intermediate.DnsNames.Count), Is.EqualTo((KeyAlgorithm.EcdsaP384, KeyAlgorithm.EcdsaP256, 2)));
        }
    }

    [Test]
    public void May_be_JSON()
    {
        const string Json = "{\n\t\"apiVersion\":\"meshtrust.dev/v1alpha1\",\n\t\"kind\":\"MeshTopology\",\n\t\"clusters\":[{\"name\":\"a\",\"network\":\"n\\u0031\"}]\n}";
        Assert.That(TopologySamples.Bind("", Json, "mesh.json").Topology.Clusters.Single().Network, Is.EqualTo("n1"));
        Assert.That(TopologySamples.Bind("", Json, "mesh.yaml").Topology.Clusters.Single().Network, Is.EqualTo("n1"));
        var fault = TopologySamples.Refuse("", Json.Replace("clusters", "clutsers", StringComparison.Ordinal), "mesh.json");
        Assert.That(fault.Problems.Single().ToString(), Does.StartWith("MT0102 mesh.json:4: unknown key \"clutsers\" at the top level; did you mean \"clusters\"?"));
    }

    [Test]
    public void May_be_YAML_in_flow_style() =>
        Assert.That(TopologySamples.Bind("", "{apiVersion: meshtrust.dev/v1alpha1, kind: MeshTopology, clusters: [{name: a}]}").Topology.Clusters, Has.Count.EqualTo(1));

    [TestCase("mesh.yaml", "Invalid YAML")]
    [TestCase("mesh.json", "Invalid JSON")]
    [TestCase("mesh", "Invalid JSON")]
    public void Is_rejected_in_terms_of_its_format(string file, string words) =>
        Assert.That(TopologySamples.Refuse("", "{\"apiVersion\": \"meshtrust.dev/v1alpha1\",\n", file).Problems.Single().Message, Does.StartWith(words));

    [TestCase("\uFEFF")]
    [TestCase("%YAML 1.2\n---\n")]
    [TestCase("# comment\n")]
    public void May_begin_with(string prefix) => Assert.That(TopologySamples.Bind("", prefix + TopologySamples.Head + "clusters: [{name: a}]\n").Topology.Clusters, Has.Count.EqualTo(1));

    [Test]
    public void May_have_Windows_line_ends() => Assert.That(TopologySamples.Bind("", (TopologySamples.Head + "clusters:\n  - name: a\n").Replace("\n", "\r\n", StringComparison.Ordinal)).Topology.Clusters[0].Name.Value, Is.EqualTo("a"));

    [Test]
    public void May_leave_clusters_to_arguments() => Assert.That(TopologySamples.Bind("--clusters=4", TopologySamples.Head + "trust: {namespace: x}\n").Topology.Clusters, Has.Count.EqualTo(4));

    [Test]
    public void May_use_anchors() =>
        Assert.That(TopologySamples.Bind("", TopologySamples.Head + "clusters: [{name: a, network: &n net}, {name: b, network: *n}]\n").Topology.Clusters[1].Network, Is.EqualTo("net"));

    [TestCase("${NET}", "from-env")]
    [TestCase("${NET:-x}", "from-env")]
    [TestCase("${OTHER:-x}", "x")]
    [TestCase("${EMPTY:-x}", "x")]
    [TestCase("a-${OTHER:-b}-${NET}", "a-b-from-env")]
    [TestCase("${NESTED}", null)]
    public void Expands_variables_once_in_text(string text, string? expected)
    {
        var environment = TopologySamples.Environment("NET=from-env;EMPTY=;NESTED=${NET}");
        var document = TopologySamples.Head + $"clusters: [{{name: a, network: \"{text}\"}}]\n";
        if (expected is null) Assert.That(TopologySamples.Refuse("", document, environment: environment).Problems.Single().Id, Is.EqualTo("MT0105"), "what a variable holds is not expanded again");
        else Assert.That(TopologySamples.Bind("", document, environment: environment).Topology.Clusters[0].Network, Is.EqualTo(expected));
    }

    [Test]
    public void Keeps_the_characters_of_an_expansion_that_is_escaped() =>
        Assert.That(TopologySamples.Bind("", TopologySamples.Head + "trust: {root: {cn: \"$${X} $1\"}}\n").Topology.Trust.Root.CommonName, Is.EqualTo("${X} $1"));

    [Test]
    public void Does_not_expand_keys() =>
        Assert.That(TopologySamples.Refuse("", TopologySamples.Head + "${KEY:-mode}: sidecar\n").Problems.Single().Id, Is.EqualTo("MT0102"));

    [Test]
    public void Allows_equal_ranges_in_different_networks() =>
        Assert.That(TopologySamples.Bind("", TopologySamples.Head + "clusters: [{name: a, network: n1, podSubnet: 10.0.0.0/16}, {name: b, network: n2, podSubnet: 10.0.0.0/16}]\n").Topology.Clusters, Has.Count.EqualTo(2));

    [Test]
    public void Says_where_a_key_belongs()
    {
        var fault = TopologySamples.Refuse("", TopologySamples.Head + "keySize: 2048\nworkers: 1\n");
        Assert.That(fault.Problems.Select(p => p.Message), Is.EqualTo(["unknown key \"keySize\" at the top level; it belongs in trust.root.", "unknown key \"workers\" at the top level; it belongs in defaults."]));
    }

    private static MeshTopology Sample(string name)
    {
        var text = File.ReadAllText(TopologySamples.SampleFiles.Single(f => Path.GetFileNameWithoutExtension(f) == name));
        var file = Path.Combine("dir", name + ".yaml");
        return TopologySamples.Bind("", text, file).Topology;
    }
}
