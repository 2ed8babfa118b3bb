using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

/// <summary>What a shell leaves in <c>CTX_CLUSTERn</c> if the guide's own <c>kubectl ... | grep</c> finds nothing, or too much.</summary>
[TestFixture]
public sealed class ContextVariableTests
{
    private const string Row = "*         kind-cluster-1    kind-cluster-1    kind-cluster-1    ";

    [TestCase("", "MT0022", "grep -x kind-cluster-2)")]
    [TestCase("  ", "MT0022", "grep -x kind-cluster-2)")]
    [TestCase("\r\n", "MT0022", "grep -x kind-cluster-2)")]
    [TestCase("kind-cluster-1\nkind-cluster-10", "MT0019", "| grep -x kind-cluster-1)")]
    [TestCase("kind-cluster-10\nkind-cluster-1", "MT0019", "| grep -x kind-cluster-1)")]
    [TestCase("a\r\nb\r\nc\r", "MT0019", "| grep -x a)")]
    [TestCase("a\nb\nc\nd\ne\nf\ng", "MT0019", "| grep -x a)")]
    [TestCase("NAME\nkind-cluster-1", "MT0019", "| grep -x kind-cluster-1)")]
    [TestCase(Row + "\n          kind-cluster-10   kind-cluster-10   kind-cluster-10   ", "MT0019", "| grep -x kind-cluster-1)")]
    [TestCase("\u001b[01;31m\u001b[Kkind-cluster-1\u001b[m\u001b[K\n\u001b[01;31m\u001b[Kkind-cluster-1\u001b[m\u001b[K0", "MT0019", "| grep -x kind-cluster-1)")]
    [TestCase("kind-cluster-2\r", "MT0020", "| tr -d '\\r' | grep -x kind-cluster-2)")]
    [TestCase("kind\rcluster-2", "MT0020", "grep -x kind-cluster-2)")]
    [TestCase("\u001b[01;31m\u001b[Kkind-cluster-2\u001b[m\u001b[K", "MT0020", "| grep --color=never -x kind-cluster-2)")]
    [TestCase(Row, "MT0020", "-o name | grep -x kind-cluster-1)")]
    [TestCase("          kind-cluster-2    kind-cluster-2    u", "MT0020", "| grep -x kind-cluster-2)")]
    [TestCase("NAME", "MT0020", "| grep -x kind-cluster-2)")]
    [TestCase("*", "MT0020", "| grep -x kind-cluster-2)")]
    [TestCase(" kind-cluster-2", "MT0020", "| grep -x kind-cluster-2)")]
    [TestCase("kind-cluster-2 ", "MT0020", "| grep -x kind-cluster-2)")]
    [TestCase("kind-cluster-2\n", "MT0020", "| grep -x kind-cluster-2)")]
    [TestCase("it's mine ", "MT0020", "grep -x -F -e 'it'\\''s mine')")]
    [TestCase("a\u0007b", "MT0009", null)]
    public void Is_rejected_with_its_cause_and_a_command(string value, string id, string? command)
    {
        var problem = Refuse(new() { ["CTX_CLUSTER1"] = "sound", ["CTX_CLUSTER2"] = value }).Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That((problem.Id, problem.Location), Is.EqualTo((id, "CTX_CLUSTER2")));
            if (command is not null) Assert.That(problem.Hint, Does.Contain("export CTX_CLUSTER2=$(kubectl config get-contexts -o name | ").And.EndsWith(command));
            Assert.That(problem.ToString(), Does.Not.Contain("\n").And.Not.Contain("\r").And.Not.Contain("\u001b"));
        }
    }

    [Test]
    public void Are_all_reported_at_once_without_follow_up_problems()
    {
        var problems = Refuse(new() { ["CTX_CLUSTER1"] = "", ["CTX_CLUSTER2"] = "", ["CTX_CLUSTER3"] = "a\nb", ["CTX_CLUSTER4"] = "c\r" }, "--clusters=4", "--timeout=20");
        Assert.That(problems.Select(p => (p.Id, p.Location)), Is.EquivalentTo([("MT0022", "CTX_CLUSTER1"), ("MT0022", "CTX_CLUSTER2"), ("MT0019", "CTX_CLUSTER3"), ("MT0020", "CTX_CLUSTER4"), ("MT0006", "--timeout")]));
    }

    [TestCase("--clusters=2")]
    [TestCase("--cluster-names=east,west")]
    public void An_empty_variable_after_the_last_cluster_is_also_rejected(string argument) =>
        Assert.That(Refuse(new() { ["CTX_CLUSTER1"] = "a", ["CTX_CLUSTER2"] = "b", ["CTX_CLUSTER3"] = "" }, argument).Select(p => (p.Id, p.Location)), Is.EqualTo([("MT0022", "CTX_CLUSTER3")]));

    [TestCase("--provider=kind")]
    [TestCase("--provider=embedded")]
    public void None_is_read_if_clusters_are_created(string argument) =>
        Assert.That(Bind(new() { ["CTX_CLUSTER1"] = "", ["CTX_CLUSTER2"] = "a\nb" }, argument).Topology.Clusters, Has.Count.EqualTo(2));

    [TestCase("gke_my-project_europe-west1_prod")]
    [TestCase("arn:aws:eks:eu-west-1:123456789012:cluster/prod")]
    [TestCase("default/api-crc-testing:6443/kube:admin")]
    [TestCase("my own cluster")]
    public void A_name_is_used_unchanged(string name) => Assert.That(Bind(new() { ["CTX_CLUSTER1"] = name }).Topology.Clusters[0].Context, Is.EqualTo(name));

    [TestCase("NUM_CLUSTERS", "2\r")]
    [TestCase("ROOTCA_KEYSZ", "p256\r")]
    [TestCase("MESHTRUST_PROVIDER", "embedded\r")]
    [TestCase("CLUSTER_TOPOLOGY_CONFIG_FILE", "mesh.yaml\r")]
    [TestCase("SKIP_CLEANUP", "false\r")]
    [TestCase("KUBECONFIG", "/home/me/.kube/config\r")]
    public void A_carriage_return_at_the_end_of_another_variable_is_named(string name, string value)
    {
        var problem = Refuse(new() { [name] = value }).Single();
        Assert.That((problem.Id, problem.Location), Is.EqualTo(("MT0020", name)));
        Assert.That(problem.Message, Does.StartWith("Ends with a carriage return:"));
    }

    [Test]
    public void A_carriage_return_at_the_end_of_an_argument_is_named() =>
        Assert.That(Refuse([], "--clusters=2\r").Select(p => (p.Id, p.Location)), Is.EqualTo([("MT0020", "--clusters")]));

    [TestCase("\"{0}\"")]
    [TestCase("'{0}'")]
    [TestCase("base64:{0}")]
    [TestCase("/home/me/.kube/config:'{0}'")]
    public void Quoted_or_prefixed_content_is_recognized_as_content(string form)
    {
        var content = Convert.ToBase64String("""{"kind":"Config","users":[{"name":"u","user":{"token":"t0kenThatNobodyMaySee"}}]}"""u8);
        foreach (var name in new[] { "KUBECONFIG", "CTX_CLUSTER1", "CLUSTER_TOPOLOGY_CONFIG_FILE", "NUM_CLUSTERS" })
        {
            var problems = Refuse(new() { [name] = string.Format(System.Globalization.CultureInfo.InvariantCulture, form, content) });
            Assert.That(string.Concat(problems), Does.Contain(name).And.Not.Contain(content[20..32]).And.Match("(?s)not shown|the content of a file"));
        }
    }

    [TestCase("/home/runner/work/Mesh/Mesh/very/long/path/Without/AnyDot/Or/Dash/kubeconfig")]
    [TestCase("/builds/group/project-with-a-long-name/subproject_two/artifacts/kubeconfig")]
    [TestCase("/tmp/AbCdEfGh0123456789/AbCdEfGh0123456789/AbCdEfGh0123456789")]
    public void A_long_path_is_not_mistaken_for_content(string path) =>
        Assert.That(Bind(new() { ["KUBECONFIG"] = path }).Run.KubeconfigPaths, Is.EqualTo([path]));

    private static List<Problem> Refuse(Dictionary<string, string> environment, params string[] arguments) =>
        [.. Assert.Throws<MeshTrustException>(() => Bind(environment, arguments))!.Problems];

    private static MeshTrustSettings Bind(Dictionary<string, string> environment, params string[] arguments) => MeshTrustSettings.Bind(
        [.. arguments.Select(a => a[2..].Split('=', 2)).Select(a => new KeyValuePair<string, string?>(a[0], a.ElementAtOrDefault(1)))],
        environment,
        _ => throw new FileNotFoundException(),
        []);
}
