using System.Text.Json;
using MeshTrust.ControlPlanes.Native;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.ControlPlanes.Native;

/// <summary>The main flow on real control planes.</summary>
[TestFixture, NonParallelizable, Category("Real"), Category(OutsideTool.Category)]
public sealed class NativeMainFlowTests
{
    private static readonly string[] Quick = ["--provider=native", "--work-dir=mesh", "--rootca-keysz=p256", "--intermediate-keysz=p256"];

    private ScratchDirectory _scratch = null!;

    [SetUp]
    public void Begin()
    {
        _scratch = new ScratchDirectory();
        _ = RealBinaries.Find();
    }

    [TearDown]
    public void End() => _scratch?.Dispose();

    /// <summary>With a proxy that does not exist and variables that would break etcd.</summary>
    [Test]
    public void Proves_trust_between_two_clusters_then_changes_nothing()
    {
        var hostile = new Dictionary<string, string?> { ["HTTPS_PROXY"] = "http://127.0.0.1:9", ["ETCD_LISTEN_CLIENT_URLS"] = "http://127.0.0.1:1", ["NO_PROXY"] = "example.com,127.0.0.1" };
        var first = Succeed(hostile, "--target=Verify");
        Assert.That(first, Does.Contain("provider: native (requested)").And.Contain("cluster1: created, https://127.0.0.1:").And.Contain("cluster2: secret cacerts created").And.Contain("4 of 4 cluster pairs trust each other"));

        var second = Succeed(hostile, "--target=Verify");
        Assert.That(second, Does.Contain("cluster1: restarted").And.Contain("cluster1: secret cacerts unchanged, namespace unchanged").And.Contain("cluster2: secret cacerts unchanged, namespace unchanged").And.Contain("4 of 4 cluster pairs trust each other"));
        Assert.That(second, Does.Not.Contain(": issued").And.Not.Contain("wrote ").And.Not.Contain(": created"));
    }

    [Test, Category("Slow")]
    public void Proves_trust_between_four_clusters() =>
        Assert.That(Succeed(null, "--target=Verify", "--clusters=4"), Does.Contain("16 of 16 cluster pairs trust each other"));

    [Test]
    [Platform(Exclude = "Win", Reason = "signals are Unix's")]
    public void Kubectl_reads_the_secrets_and_a_concurrent_run_reuses_the_clusters()
    {
        var kubectl = OutsideTool.Find("kubectl");
        Succeed(null, "--target=Verify");
        using var serve = HostProcess.Start(_scratch.Location, ["--target=Serve", .. Quick], Variables(null));
        serve.WaitForOutput("Serving until Ctrl-C");
        foreach (var cluster in (string[])["cluster1", "cluster2"])
        {
            var answer = OutsideTool.Run(kubectl, ["--kubeconfig", _scratch.File("mesh/kubeconfig/merged"), "--context", cluster, "-n", "istio-system", "get", "secret", "cacerts", "-o", "jsonpath={.data}"], null, new Dictionary<string, string> { ["KUBECACHEDIR"] = _scratch.File("cache") });
            Assert.That(answer.ExitCode, Is.Zero, answer.Error);
            Assert.That(answer.Output, Does.Contain("ca-cert.pem").And.Contain("root-cert.pem"));
        }

        Assert.That(Succeed(null, "--target=Verify"), Does.Contain("cluster1: kept").And.Contain("run by another process"));
        serve.Signal("INT");
        Assert.That(serve.WaitForExit(), Is.Zero, serve.Output);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "signals are Unix's")]
    public void Reports_an_API_server_that_is_killed_during_the_push_and_the_next_run_converges()
    {
        string[] arguments = ["--target=Verify", .. Quick[..2], "--rootca-keysz=4096", "--intermediate-keysz=4096"];
        using var host = HostProcess.Start(_scratch.Location, arguments, Variables(null));
        host.WaitForOutput("RootCa");
        var id = ApiServers().First();

        // Stopped first, so that the push is certainly waiting for a response when the server is killed.
        Signal("STOP", id);
        host.WaitForOutput("PushSecrets");
        Thread.Sleep(300);
        Signal("KILL", id);
        var code = host.WaitForExit();
        Assert.That(code, Is.EqualTo(8), host.Output);
        Assert.That(host.Output, Does.Contain("MT2124").And.Contain("kube-apiserver of this control plane exited with code 137").And.Contain("Log: "));
        Assert.That(host.Output, Does.Not.Contain("   at "));

        var (again, output) = HostProcess.Run(_scratch.Location, arguments, Variables(null));
        Assert.That(again, Is.Zero, output);
        Assert.That(output, Does.Contain("cluster1: restarted").And.Contain("4 of 4 cluster pairs trust each other"));
    }

    [Test]
    public async Task Reports_the_verb_that_a_user_without_permissions_lacks()
    {
        await using var planes = await NativeControlPlanes.StartAsync(new NativeControlPlanesOptions { Names = ["east"], Binaries = RealBinaries.Find(), StartTimeout = TimeSpan.FromMinutes(2) });
        _scratch.Write("dev", planes.Planes["east"].AddUser("dev"));
        var (code, output) = HostProcess.Run(
            _scratch.Location,
            ["--target=PushSecrets", "--provider=existing", "--cluster-names=east", .. Quick[1..]],
            Variables(new Dictionary<string, string?> { ["KUBECONFIG"] = _scratch.File("dev"), ["CTX_CLUSTER1"] = "east" }));

        Assert.That(code, Is.EqualTo(8), output);
        Assert.That(output, Does.Contain("MT3007 east").And.Match("The user 'dev' may not 'get' (secrets|namespaces|configmaps)").And.Contain("docs/existing-clusters.md has the complete Role"));
    }

    private static void Signal(string name, int id) => OutsideTool.Run("/bin/sh", "-c", $"kill -{name} {id}");

    private IEnumerable<int> ApiServers()
    {
        foreach (var record in Directory.GetFiles(_scratch.Location, "owner.json", SearchOption.AllDirectories))
        {
            using var json = JsonDocument.Parse(File.ReadAllText(record));
            // etcd starts first in each control plane, and planes start in parallel: the last process is an API server.
            yield return json.RootElement.GetProperty("children").EnumerateArray().Last().GetProperty("id").GetInt32();
        }
    }

    private Dictionary<string, string?> Variables(IReadOnlyDictionary<string, string?>? more)
    {
        var variables = new Dictionary<string, string?> { ["TMPDIR"] = _scratch.Location };
        foreach (var (name, value) in more ?? new Dictionary<string, string?>()) variables[name] = value;
        return variables;
    }

    private string Succeed(IReadOnlyDictionary<string, string?>? environment, params string[] arguments)
    {
        var (code, output) = HostProcess.Run(_scratch.Location, [.. arguments, .. Quick], Variables(environment));
        Assert.That(code, Is.Zero, output);
        return output;
    }
}
