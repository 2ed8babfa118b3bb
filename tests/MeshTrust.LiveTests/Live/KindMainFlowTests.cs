using System.Text;
using System.Text.Json;
using MeshTrust.Kubeconfig;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>The main flow on real kind clusters, from creation to removal, checked independently by kubectl, docker and kind.</summary>
[TestFixture, NonParallelizable, Category(OutsideTool.Category), Category(OutsideTool.Engine), Deadline(DeadlineAttribute.Kind)]
public sealed class KindMainFlowTests
{
    private KindTestbed _kind = null!;

    [SetUp]
    public void Begin() => _kind = KindTestbed.Find();

    [TearDown]
    public void End() => _kind?.Dispose();

    [Test]
    public void Creates_two_proves_trust_changes_nothing_adds_a_third_recreates_a_deleted_one_and_removes_all()
    {
        var first = _kind.Succeed(2, "--target=Verify", "--provider=auto");
        Assert.That(first, Does.Match(@"provider: kind \(auto: .*docker \d.* is running"), "kind comes first where it can be had");
        Assert.That(first, Does.Contain($"{_kind.Name(1)}: created, https://127.0.0.1:").And.Contain($"{_kind.Name(2)}: created, https://127.0.0.1:").And.Contain("4 of 4 cluster pairs trust each other"));
        Assert.That(first, Does.Match($"\\d\\d:\\d\\d:\\d\\dZ {_kind.Name(1)}: "), "every step is reported with its time");
        SameSecrets(2);
        Assert.That(Directory.Exists(_kind.File("home/.kube")), Is.False, "the user's own kubeconfig is never touched");
        Assert.That(File.ReadAllText(_kind.File($"mesh/kubeconfig/{_kind.Name(1)}.internal")), Does.Contain($"https://{_kind.Name(1)}-control-plane:6443"));
        Assert.That(_kind.Kubectl(1, "get", "configmap", "meshtrust", "--namespace", "kube-public", "--output", "jsonpath={.data.cluster}"), Is.EqualTo(_kind.Name(1)));

        var bystander = _kind.CreateForeignCluster(1);
        var (containers, files) = (_kind.Containers(), _kind.Files());
        var second = _kind.Succeed(2, "--target=Verify");
        Assert.That(second, Does.Contain($"{_kind.Name(1)}: kept").And.Contain($"{_kind.Name(2)}: secret cacerts unchanged, namespace unchanged"));
        Assert.That(second, Does.Not.Match(@"(?m)^\S+: (created|restarted|issued|secret cacerts (created|changed))").And.Not.Contain("wrote "));
        Assert.That((_kind.Containers(), _kind.Files()), Is.EqualTo((containers, files)));

        var before = _kind.Addresses();
        _kind.SwapAddresses(1, 2);
        Assert.That(_kind.Addresses(), Is.Not.EqualTo(before), "the engine gave out other addresses, as after a restart");
        var repaired = _kind.Succeed(2, "--target=Repair");
        Assert.That(repaired, Does.Match($"{_kind.Name(1)}-control-plane was [^;]*, is now ").And.Contain($"{_kind.Name(2)}: kept"));
        var after = _kind.Succeed(2, "--target=Verify");
        Assert.That(after, Does.Contain("MT3131 pass").And.Contain("MT3132 pass").And.Not.Contain("is now"));

        Assert.That(_kind.Succeed(2, "--target=RemoteSecrets"), Does.Match($"{_kind.Name(1)}: remote secret of {_kind.Name(2)} created, for https://(?!127)"));
        Assert.That((ReadFromANode(1, 2), ReadFromANode(2, 1)), Is.EqualTo(("200 200 403", "200 200 403")), "pods and secrets, and no more than istiod needs");
        _kind.Succeed(2, "--target=InstallValues");
        Assert.That(File.ReadAllText(_kind.File("mesh/install/install.sh")), Does.Contain($"--kube-context kind-{_kind.Name(1)} ").And.Contain($"--values {_kind.Name(2)}/istiod.yaml"));
        Assert.That(_kind.Succeed(2, "--target=RemoteSecrets"), Does.Contain($"remote secret of {_kind.Name(2)} unchanged"));
        var checkedSecrets = _kind.Succeed(2, "--target=Verify");
        foreach (var check in (string[])["MT5303", "MT5304", "MT5305", "MT5306", "MT5307", "MT5308", "MT5309", "MT5310"])
            Assert.That(checkedSecrets, Does.Contain($"{check} pass").And.Not.Contain($"{check} n/a"));

        // As istioctl writes it for kind: an address that only this machine reaches.
        var here = KubeconfigDocument.Load(_kind.File($"mesh/kubeconfig/{_kind.Name(2)}")).Clusters.Single().Text("server")!;
        ReplaceServer(1, 2, _ => new Uri(here));
        var (broken, said) = _kind.Run(2, "--target=Verify");
        Assert.That(broken, Is.EqualTo(9), said);
        Assert.That(said, Does.Match($"MT5307 error {_kind.Name(1)} -> {_kind.Name(2)}: .*127.0.0.1").And.Contain("MT5309 pass"));
        _kind.Kubectl(1, "delete", "secret", $"istio-remote-secret-{_kind.Name(2)}", "--namespace", "istio-system");
        _kind.Succeed(2, "--target=RemoteSecrets");

        // The right node, but a port on which nothing listens.
        ReplaceServer(1, 2, server => new UriBuilder(server) { Port = 6444 }.Uri);
        (broken, said) = _kind.Run(2, "--target=Verify");
        Assert.That(broken, Is.EqualTo(9), said);
        Assert.That(said, Does.Match($"MT5307 error {_kind.Name(1)} -> {_kind.Name(2)}: Node {_kind.Name(1)}-control-plane cannot reach"));
        (broken, said) = _kind.Run(2, "--target=RemoteSecrets");
        Assert.That((broken, said.Contains("MT5204", StringComparison.Ordinal)), Is.EqualTo((8, true)), said);
        Assert.That(_kind.Succeed(2, "--target=RemoteSecrets", "--force"), Does.Contain($"remote secret of {_kind.Name(2)} changed"));

        var third = _kind.Succeed(3, "--target=Verify");
        Assert.That(third, Does.Contain($"MT5303 warning {_kind.Name(1)} -> {_kind.Name(3)}: ").And.Contain("MT5307 pass"), "the others go on");
        Assert.That(_kind.Succeed(2, "--target=RemoteSecrets", "--remove"), Does.Contain("removed "));
        Assert.That(third, Does.Contain($"{_kind.Name(1)}: kept").And.Contain($"{_kind.Name(2)}: kept").And.Contain($"{_kind.Name(3)}: created").And.Contain("9 of 9 cluster pairs trust each other"));
        Assert.That(_kind.Containers().Intersect(containers), Is.EqualTo(containers), "what was there is as it was");
        SameSecrets(3);

        Assert.That(_kind.Kind("delete", "cluster", "--name", _kind.Name(2)).ExitCode, Is.Zero);
        var status = Status(3);
        Assert.That(status, Is.EqualTo(new[] { "ready", "missing", "ready" }));
        var restored = _kind.Succeed(3, "--target=Verify");
        Assert.That(restored, Does.Contain($"{_kind.Name(1)}: kept").And.Contain($"{_kind.Name(2)}: created").And.Contain("recreated: Its containers are gone").And.Contain($"{_kind.Name(2)}: secret cacerts created").And.Contain("9 of 9 cluster pairs trust each other"));
        SameSecrets(3);

        var clean = _kind.Succeed(3, "--target=CleanClusters");
        Assert.That(clean, Does.Contain($"removed {_kind.Name(1)}").And.Contain($"removed {_kind.Name(3)}").And.Contain($"left {bystander}: MeshTrust did not create"));
        Assert.Multiple(() =>
        {
            Assert.That(_kind.Containers(), Is.Empty);
            Assert.That(_kind.Kind("get", "clusters").Output, Does.Not.Match($"(?m)^{_kind.Name(1)[..^1]}"));
            Assert.That(_kind.HasBystander, Is.True, "nothing of others is removed");
            Assert.That(Directory.EnumerateFileSystemEntries(_kind.File("mesh/kubeconfig")), Is.Empty);
            Assert.That(File.Exists(_kind.File("mesh/certs/root-key.pem")), Is.True, "keys stay");
        });
        Assert.That(_kind.Succeed(3, "--target=CleanClusters"), Does.Contain("No kind clusters were created from"));
        var (code, output) = _kind.Run(3, "--target=Repair");
        Assert.That(code, Is.EqualTo(4), output);
        Assert.That(output, Does.Contain($"MT2326 {_kind.Name(3)}: ").And.Contain("--target=SetupKind"));
    }

    /// <summary>A certificate service like istiod's in a pod of each cluster, through the port-forward of real API servers and kubelets.</summary>
    [Test]
    public void Proves_what_running_istiods_issue_and_waits_until_one_has_loaded_a_new_intermediate()
    {
        _kind.Succeed(2, "--target=Verify");
        IstiodPod.Start(_kind, 1);
        IstiodPod.Start(_kind, 2);
        var live = _kind.Succeed(2, "--target=Verify");
        Assert.That(live, Does.Contain("LIVE 4/4 Each istiod was asked for a workload certificate.").And.Contain("MT5401 pass").And.Contain("MT5402 pass").And.Contain("MT5403 pass").And.Contain("MT5404 pass"));
        Assert.That(live, Does.Contain("4 of 4 cluster pairs trust each other, 4 of 4 with certificates that istiod issued"));

        foreach (var file in Directory.GetFiles(_kind.File($"mesh/certs/{_kind.Name(1)}"), "*.pem")) File.Delete(file);
        var pending = _kind.Succeed(2, "--target=Verify");
        Assert.That(pending, Does.Match($"MT5401 warning {_kind.Name(1)}: istiod in '{_kind.Name(1)}' still signs with the CA").And.Contain("LIVE 4/4"));
        // A change of the pod makes the kubelet update its files at once instead of within a minute.
        _kind.Kubectl(1, "annotate", "pod", "istiod", "--namespace", "istio-system", "look=now");
        Assert.That(_kind.Succeed(2, "--target=Verify", "--wait-live=3m"), Does.Contain("MT5401 pass").And.Contain("LIVE 4/4"));
    }

    private void ReplaceServer(int here, int there, Func<Uri, Uri> change)
    {
        var (name, key) = ($"istio-remote-secret-{_kind.Name(there)}", _kind.Name(there));
        var text = Encoding.UTF8.GetString(Convert.FromBase64String(_kind.Kubectl(here, "get", "secret", name, "--namespace", "istio-system", "--output", $"jsonpath={{.data.{key}}}")));
        var server = KubeconfigDocument.Parse("remote secret", text).Clusters.Single().Text("server")!;
        var changed = text.Replace(server, change(new Uri(server)).AbsoluteUri.TrimEnd('/'), StringComparison.Ordinal);
        var patch = $$$"""{"data":{"{{{key}}}":"{{{Convert.ToBase64String(Encoding.UTF8.GetBytes(changed))}}}"}}""";
        _kind.Kubectl(here, "patch", "secret", name, "--namespace", "istio-system", "--type=merge", "--patch", patch);
    }

    private string?[] Status(int clusters)
    {
        using var json = _kind.Json(clusters, "--target=Status");
        return [.. json.RootElement.GetProperty("clusters").EnumerateArray().Select(cluster => cluster.GetProperty("status").GetString())];
    }

    /// <summary>What the other cluster's API server returns to a node that has only the kubeconfig of the remote secret.</summary>
    private string ReadFromANode(int here, int there)
    {
        var text = _kind.Kubectl(here, "get", "secret", $"istio-remote-secret-{_kind.Name(there)}", "--namespace", "istio-system", "--output", $"jsonpath={{.data.{_kind.Name(there)}}}");
        var remote = KubeconfigDocument.Parse("remote secret", Encoding.UTF8.GetString(Convert.FromBase64String(text))).Resolve(_kind.Name(there));
        var paths = new[] { "api/v1/namespaces/istio-system/pods", "api/v1/secrets", "apis/apps/v1/deployments" };
        var script = $"cat > /ca.pem; for path in {string.Join(' ', paths)}; do curl --silent --output /dev/null --write-out '%{{http_code}} ' --cacert /ca.pem "
            + $"--header \"Authorization: Bearer $TOKEN\" {remote.Server.AbsoluteUri}$path; done";
        return _kind.OnNode(here, script, input: remote.Authority!, ("TOKEN", remote.User.Text("token")!)).Trim();
    }

    /// <summary>kubectl reads the secret of every cluster: the root of the trust store, and a distinct CA key for each cluster.</summary>
    private void SameSecrets(int clusters)
    {
        var root = File.ReadAllText(_kind.File("mesh/certs/root-cert.pem"));
        var keys = Enumerable.Range(1, clusters).Select(number =>
        {
            using var json = JsonDocument.Parse(_kind.Kubectl(number, "get", "secret", "cacerts", "--namespace", "istio-system", "--output", "json"));
            var data = json.RootElement.GetProperty("data");
            Assert.That(Text(data, "root-cert.pem"), Is.EqualTo(root));
            return Text(data, "ca-key.pem");
        }).ToList();
        Assert.That(keys, Is.Unique);
    }

    private static string Text(JsonElement data, string key) => Encoding.UTF8.GetString(data.GetProperty(key).GetBytesFromBase64());
}
