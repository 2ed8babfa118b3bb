using System.Text.Json;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Kubeconfig;

public sealed class ContextsPlanTests
{
    private const string Odd = "it's a \"$(touch never)\" `x` & context";

    private static readonly MeshTopology Mesh = new()
    {
        Clusters =
        [
            new ClusterSpec { Name = ClusterName.Parse("east"), Network = "net 1", PodSubnets = [System.Net.IPNetwork.Parse("10.10.0.0/16")], ServiceSubnets = [System.Net.IPNetwork.Parse("10.255.10.0/24")], Meta = JsonElement.Parse("""{"fakeVM":false,"kubeconfig":"old"}""") },
            new ClusterSpec { Name = ClusterName.Parse("west"), Primary = ClusterName.Parse("east"), Config = ClusterName.Parse("east"), HttpProxy = "http://p:1", ProxyKubectlOnly = true },
        ],
    };

    private static readonly ClusterAccess[] Access =
    [
        new() { Name = ClusterName.Parse("east"), KubeconfigPath = "/w/kubeconfig/east", ContextName = Odd },
        new() { Name = ClusterName.Parse("west"), KubeconfigPath = "/w/kubeconfig/west", ContextName = "west" },
    ];

    private static KubeconfigDocument Kubeconfig(string context) => KubeconfigDocument.Parse("x", $$"""
        clusters: [{name: c, cluster: {server: "https://{{(context == "west" ? "west" : "east")}}.example"} }]
        users: [{name: u, user: {token: s3cret} }]
        contexts: [{name: {{JsonSerializer.Serialize(context)}}, context: {cluster: c, user: u} }]
        """);

    private static ContextsPlan Plan(string directory = "/w") => ContextsPlan.For(Mesh, Access, [Kubeconfig(Odd), Kubeconfig("west")], directory);

    [Test]
    public void Writes_every_variable_that_later_steps_read()
    {
        Assert.That(Plan().Variables.Select(v => $"{v.Key}={v.Value}"), Is.EqualTo(new[]
        {
            $"CTX_CLUSTER1={Odd}", "KUBECONFIG_CLUSTER1=/w/kubeconfig/east", "NETWORK_CLUSTER1=net 1",
            "CTX_CLUSTER2=west", "KUBECONFIG_CLUSTER2=/w/kubeconfig/west",
            $"KUBECONFIG={Path.Combine("/w", "kubeconfig", "merged")}", $"KUBE_CONTEXTS={Odd} west",
            $"INTEGRATION_TEST_TOPOLOGY_FILE={Path.Combine("/w", "topology-config.json")}", "INTEGRATION_TEST_KUBECONFIG=NONE",
        }));
    }

    [Test]
    public void Merges_kubeconfigs_whose_entries_have_the_same_names()
    {
        var merged = KubeconfigDocument.Parse("merged", Plan().Files[0].Text);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Plan().Files[0].IsSecret, Is.True);
            Assert.That(merged.Resolve(Odd).Server.Host, Is.EqualTo("east.example"));
            Assert.That(merged.Resolve("west").Server.Host, Is.EqualTo("west.example"));
            Assert.That(Plan().Files.Skip(1).Select(f => f.Text), Has.None.Contains("s3cret"));
            Assert.That(Plan().Files[0].ToString(), Does.Not.Contain("s3cret"));
        }
    }

    [Test]
    public void Writes_the_topology_format_of_Istio_with_passed_through_fields()
    {
        var clusters = JsonDocument.Parse(Plan().Files[3].Text).RootElement;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(clusters[0].GetProperty("meta").GetProperty("kubeconfig").GetString(), Is.EqualTo("/w/kubeconfig/east"));
            Assert.That(clusters[0].GetProperty("meta").GetProperty("fakeVM").GetBoolean(), Is.False);
            Assert.That(clusters[0].GetProperty("podSubnet").GetString(), Is.EqualTo("10.10.0.0/16"));
            Assert.That(clusters[0].TryGetProperty("primaryClusterName", out _), Is.False);
            Assert.That(clusters[1].GetProperty("primaryClusterName").GetString(), Is.EqualTo("east"));
            Assert.That(clusters[1].GetProperty("configClusterName").GetString(), Is.EqualTo("east"));
            Assert.That(clusters[1].GetProperty("httpProxy").GetString(), Is.EqualTo("http://p:1"));
            Assert.That(clusters[1].GetProperty("proxyKubectlOnly").GetBoolean(), Is.True);
            Assert.That(clusters[1].TryGetProperty("network", out _), Is.False);
        }
    }

    [Test]
    public void Writes_the_formats_of_pipelines()
    {
        KeyValuePair<string, string>[] variables = [new("A", "50% of x"), new("B", "y")];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ContextExport.Dotenv(variables), Is.EqualTo("A=50% of x\nB=y\n"));
            Assert.That(ContextExport.GitHub(variables), Is.EqualTo(new[] { "A=50% of x", "B=y" }));
            Assert.That(ContextExport.Azure(variables), Is.EqualTo(new[] { "##vso[task.setvariable variable=A]50%AZP25 of x", "##vso[task.setvariable variable=B]y" }));
        }
    }

    [Test]
    public void Rejects_a_line_break_that_would_inject_a_variable()
    {
        var access = new[] { Access[0] with { KubeconfigPath = "/w/\nPATH=/evil" }, Access[1] };
        var fault = Assert.Throws<MeshTrustException>(() => ContextsPlan.For(Mesh, access, [Kubeconfig(Odd), Kubeconfig("west")], "/w"));
        Assert.That(fault!.Problems.Single(), Has.Property("Id").EqualTo("MT0215").And.Property("Location").EqualTo("KUBECONFIG_CLUSTER1"));
    }

    [Test]
    public void Second_write_changes_nothing()
    {
        var directory = Directory.CreateTempSubdirectory("meshtrust-test-").FullName;
        try
        {
            Assert.That(Plan(directory).Write(), Has.Count.EqualTo(4));
            Assert.That(Plan(directory).Write(), Is.Empty);
            if (OperatingSystem.IsWindows()) return;
            var merged = Path.Combine(directory, "kubeconfig", "merged");
            File.SetUnixFileMode(merged, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
            Assert.That(Plan(directory).Write().Select(f => f.Path), Is.EqualTo(new[] { merged }), "a secret file that others can read is rewritten");
            Assert.That(File.GetUnixFileMode(merged), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
