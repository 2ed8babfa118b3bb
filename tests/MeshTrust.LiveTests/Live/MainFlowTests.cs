using System.Diagnostics;
using System.Text.Json;
using k8s;
using k8s.Models;
using MeshTrust.ControlPlanes.Embedded;
using MeshTrust.Pki;
using MeshTrust.Tests.Pki;
using MeshTrust.Tests.Tools;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Live;

/// <summary>The main flow as users run it, on embedded clusters.</summary>
[TestFixture, NonParallelizable]
public sealed class MainFlowTests
{
    private static readonly string[] Quick = ["--work-dir=mesh", "--rootca-keysz=p256", "--intermediate-keysz=p256", "--provider=embedded"];
    private ScratchDirectory _scratch = null!;

    [SetUp]
    public void Begin() => _scratch = new ScratchDirectory();

    [TearDown]
    public void End() => _scratch?.Dispose();

    [Test]
    public void Proves_trust_from_scratch_then_changes_nothing_then_adds_a_third_cluster()
    {
        var first = Succeed("--target=Verify");
        string[] tasks = ["Preflight", "SetupKind", "SetContexts", "RootCa", "ClusterCacerts", "PushSecrets", "Verify"];
        Assert.That(tasks.Select(task => first.IndexOf($"\n{task}\n", StringComparison.Ordinal)), Is.Ordered.And.All.GreaterThan(0));
        Assert.That(first, Does.Contain("cluster1: secret cacerts created").And.Contain("cluster2: secret cacerts created").And.Contain("4 of 4 cluster pairs trust each other"));

        Assert.That(first, Does.Not.Contain("Nothing had to change.").And.Not.Contain("source ").And.Not.Match("(?im)^(setup|teardown|default)$"));
        Assert.That(first[first.IndexOf("\nNext steps\n", StringComparison.Ordinal)..].Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Exactly(4).Items
            .And.ItemAt(0).EqualTo("Next steps").And.ItemAt(1).Contains("--target=Serve").And.ItemAt(3).Contains("--target=Verify"), "the last lines of all");
        Assert.That(first.Split("CA keys are stored in"), Has.Length.EqualTo(2), "once");

        var files = Certificates();
        var second = Succeed("--target=Verify");
        Assert.That(second, Does.Contain("root: kept").And.Contain("cluster1: kept").And.Contain("cluster1: secret cacerts unchanged, namespace unchanged").And.Contain("cluster2: secret cacerts unchanged, namespace unchanged"));
        Assert.That(second, Does.Contain("Nothing had to change."));
        Assert.That(second, Does.Not.Contain(": issued").And.Not.Contain("keys are stored").And.Not.Contain("wrote ").And.Not.Contain(": created"));
        Assert.That(Certificates(), Is.EqualTo(files));

        var third = Succeed("--target=Verify", "--clusters=3");
        Assert.That(third, Does.Contain("root: kept").And.Contain("CA keys are stored in"));
        Assert.That(third, Does.Contain("cluster2: secret cacerts unchanged").And.Contain("cluster3: secret cacerts created").And.Contain("9 of 9 cluster pairs trust each other"));
        Assert.That(Certificates().Intersect(files).Count(), Is.EqualTo(files.Count), "what was there is as it was");
    }

    [Test]
    public void Remote_secrets_are_written_kept_and_removed()
    {
        // A name in the API server's certificate that only pods resolve.
        string[] servers = ["--api-server=cluster1=https://kubernetes.default.svc:6443", "--api-server=cluster2=https://kubernetes.default.svc:6443"];
        var (code, output) = Run("--target=RemoteSecrets");
        Assert.That((code, output.Split("MT5301 cluster").Length), Is.EqualTo((8, 3)), output);
        Assert.That(output, Does.Contain("clusters run no pods"));
        (code, output) = Run("--target=RemoteSecrets", "--api-server=clutser1=https://10.0.0.1:6443");
        Assert.That(code, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain("MT0023 --api-server").And.Contain("Did you mean 'cluster1'?"));
        (code, output) = Run(["--target=RemoteSecrets", .. servers]);
        Assert.That(code, Is.EqualTo(8), output);
        Assert.That(output, Does.Contain("MT5302 cluster1").And.Contain("MT5302 cluster2").And.Contain("--target=PushSecrets"));

        Succeed("--target=PushSecrets");
        Assert.That(Succeed(["--target=RemoteSecrets", .. servers]), Does.Contain("cluster1: remote secret of cluster2 created, for https://kubernetes.default.svc:6443"));
        var verified = Succeed("--target=Verify");
        foreach (var check in (string[])["MT5303", "MT5304", "MT5305", "MT5306", "MT5307", "MT5308", "MT5309", "MT5310"])
            Assert.That(verified, Does.Match($@"(?m)^{check} pass [^\n]*$").And.Not.Contain($"{check} n/a"));
        Assert.That(Succeed(["--target=RemoteSecrets", .. servers]), Does.Contain("cluster1: remote secret of cluster2 unchanged"));
        Assert.That(Succeed("--target=RemoteSecrets", "--remove").Split("removed "), Has.Length.GreaterThan(2), "no address is needed");
        Assert.That(Succeed("--target=RemoteSecrets", "--remove"), Does.Not.Contain("removed "));
        Assert.That(Succeed("--target=Verify"), Does.Contain("MT5303 n/a").And.Not.Contain("MT5304"));
    }

    [Test, Category(OutsideTool.Category)]
    public void Git_ignores_everything_that_a_run_writes_in_a_checkout()
    {
        var git = OutsideTool.Find("git");
        OutsideTool.Run(git, "init", "--quiet", _scratch.Location);
        _scratch.Write("README.md", "mine");
        Succeed("--target=SetContexts", "--certs-dir=keys", "--kubeconfig-dir=kube");
        Succeed("--target=ClusterCacerts", "--certs-dir=keys");

        Assert.That(File.Exists(_scratch.File("keys/root-key.pem")) && File.Exists(_scratch.File("kube/merged")));
        Assert.That(OutsideTool.Run(git, "-C", _scratch.Location, "status", "--porcelain").Output, Is.EqualTo("?? README.md\n"));
    }

    [Test]
    public async Task Restores_a_secret_that_was_deleted_externally()
    {
        Succeed("--target=Verify");
        await WithClusterAsync(client => client.DeleteNamespacedSecretAsync("cacerts", "istio-system"));

        Assert.That(Succeed("--target=Verify"), Does.Contain("cluster1: secret cacerts created").And.Contain("cluster2: secret cacerts unchanged"));
    }

    [Test]
    public async Task Reports_a_secret_that_was_changed_externally_and_restores_it_with_force()
    {
        Succeed("--target=Verify");
        await WithClusterAsync(async client =>
        {
            var secret = await client.ReadNamespacedSecretAsync("cacerts", "istio-system");
            secret.Data["ca-cert.pem"] = "broken"u8.ToArray();
            await client.ReplaceNamespacedSecretAsync(secret, "cacerts", "istio-system", fieldManager: "somebody");
        });

        var (code, output) = Run("--target=Verify");
        Assert.That(code, Is.EqualTo(8), output);
        Assert.That(output, Does.Contain("MT5204").And.Contain("somebody"));
        Assert.That(Succeed("--target=Verify", "--force"), Does.Contain("cluster1: secret cacerts changed").And.Contain("4 of 4 cluster pairs trust each other"));
    }

    [Test]
    public async Task Verifies_a_mesh_managed_by_cert_manager_without_a_write()
    {
        Succeed("--target=Verify");
        foreach (var cluster in new[] { "cluster1", "cluster2" })
        {
            string File(string name) => System.IO.File.ReadAllText(_scratch.File($"mesh/certs/{cluster}/{name}"));
            await WithClusterAsync(async client =>
            {
                await client.DeleteNamespacedSecretAsync("cacerts", "istio-system");
                await client.CreateNamespacedSecretAsync(new V1Secret
                {
                    Metadata = new V1ObjectMeta { Name = "cacerts", Annotations = new Dictionary<string, string> { ["cert-manager.io/certificate-name"] = "istio-ca" } },
                    Type = "kubernetes.io/tls",
                    StringData = new Dictionary<string, string> { ["tls.crt"] = File("ca-cert.pem"), ["tls.key"] = File("ca-key.pem"), ["ca.crt"] = File("root-cert.pem") },
                }, "istio-system", fieldManager: "cert-manager-certificates-issuing");
            }, cluster);
        }

        var output = Succeed("--target=Verify", "--certs-dir=none-yet");
        Assert.That(output, Does.Contain("cert-manager manages the secret cacerts of every cluster").And.Contain("4 of 4 cluster pairs trust each other").And.Contain("managed-by=cert-manager"));
        Assert.That(Directory.GetFiles(_scratch.File("none-yet"), "*.pem", SearchOption.AllDirectories), Is.Empty, "nothing was issued");
    }

    /// <summary>
    /// istiod uses the common root (as its ConfigMaps show), but the secret was replaced with a foreign one: the mesh works until istiod restarts.
    /// </summary>
    [Test]
    public async Task Replaces_a_foreign_secret_and_never_advises_a_restart_that_would_break_the_mesh()
    {
        Succeed("--target=Verify");
        var root = File.ReadAllText(_scratch.File("mesh/certs/root-cert.pem"));
        using (var foreign = new StoreFixture())
        {
            var files = (await foreign.OneClusterAsync()).ToFiles();
            await WithClusterAsync(async client =>
            {
                foreach (var ns in new[] { "istio-system", "default" })
                    await client.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "istio-ca-root-cert" }, Data = new Dictionary<string, string> { ["root-cert.pem"] = root } }, ns);
                await client.DeleteNamespacedSecretAsync("cacerts", "istio-system");
                await client.CreateNamespacedSecretAsync(new V1Secret { Metadata = new V1ObjectMeta { Name = "cacerts" }, Data = files.ToDictionary(f => f.Key, f => f.Value.ToArray()) }, "istio-system", fieldManager: "kubectl-create");
            });
        }

        var (code, output) = Run("--target=Verify", "--exclusive");
        Assert.That(code, Is.EqualTo(9), output);
        Assert.That(output, Does.Contain("MT5013").And.Contain("Do not restart istiod. Run PushSecrets").And.Not.Contain("Restart istiod").And.Not.Contain("estart it "));
        Assert.That(output, Does.Not.Contain("MT5014 error").And.Not.Contain("MT5001 error"), "the namespaces hold what istiod publishes");

        Assert.That(Succeed("--target=Verify"), Does.Contain("MT5221").And.Contain("cluster1: secret cacerts changed").And.Contain("4 of 4 cluster pairs trust each other"));
        Assert.That(Succeed("--target=Verify"), Does.Contain("cluster1: secret cacerts unchanged"));
    }

    /// <summary>No key is lost because of the form of a file, and replaced files are kept until the next proof.</summary>
    [Test]
    public void Keeps_what_it_replaces_until_trust_is_proven()
    {
        Succeed("--target=Verify");
        string Location(string file) => _scratch.File($"mesh/certs/cluster1/{file}");
        var key = File.ReadAllBytes(Location("ca-key.pem"));
        File.WriteAllText(Location("cert-chain.pem"), "Certificate:\n" + File.ReadAllText(Location("cert-chain.pem")) + string.Concat(Enumerable.Repeat("    Data:\n", 89)));

        var repaired = Succeed("--target=ClusterCacerts");
        Assert.That(repaired, Does.Contain("cluster1: rechained").And.Contain("89 lines are text").And.Contain(Location("cert-chain.pem.2")));
        Assert.That(File.ReadAllBytes(Location("ca-key.pem")), Is.EqualTo(key));

        File.WriteAllText(Location("ca-key.pem"), "encrypted, lost, or typed over");
        Succeed("--target=ClusterCacerts");
        Assert.That(Directory.EnumerateFiles(_scratch.File("mesh/certs/cluster1"), "*.old").Count(), Is.EqualTo(5), "the chain twice, and the other three files");
        Assert.That(Succeed("--target=Verify"), Does.Contain("Removed 5 replaced CA files").And.Contain("4 of 4 cluster pairs trust each other"));
        Assert.That(Directory.EnumerateFiles(_scratch.File("mesh/certs/cluster1")).Select(Path.GetFileName), Is.EquivalentTo(CacertsFile.OfCluster));
    }

    [Test]
    public void Runs_PushSecrets_with_exclusive()
    {
        Succeed("--target=ClusterCacerts");
        var output = Succeed("--target=PushSecrets", "--exclusive");
        Assert.That(output, Does.Contain("cluster1: secret cacerts created").And.Not.Contain("root:"));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "signals are Unix's")]
    public void Connects_to_clusters_that_another_process_serves()
    {
        using var serve = HostProcess.Start(_scratch.Location, ["--target=Serve", .. Quick]);
        serve.WaitForOutput("Serving until Ctrl-C");
        var variables = new Dictionary<string, string?> { ["KUBECONFIG"] = _scratch.File("mesh/kubeconfig/merged"), ["CTX_CLUSTER1"] = "cluster1", ["CTX_CLUSTER2"] = "cluster2" };
        var before = File.ReadAllBytes(_scratch.File("mesh/kubeconfig/merged"));

        var (code, output) = HostProcess.Run(_scratch.Location, ["--target=Verify", "--work-dir=other", .. Quick[1..^1], "--provider=existing"], variables);

        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Contain("provider: existing").And.Contain("nothing was created").And.Contain($"source {_scratch.File("other/env.sh")}").And.Contain("istioctl").And.Contain("4 of 4 cluster pairs trust each other"));
        Assert.That(File.ReadAllBytes(_scratch.File("mesh/kubeconfig/merged")), Is.EqualTo(before));
        serve.Signal("INT");
        Assert.That(serve.WaitForExit(), Is.Zero, serve.Output);
    }

    [Test]
    public void Writes_json_alone_to_standard_output()
    {
        var start = new ProcessStartInfo("dotnet", ["exec", HostProcess.HostAssembly, "--target=Verify", "--output=json", .. Quick]) { WorkingDirectory = _scratch.Location, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in HostProcess.CleanEnvironment(null))
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        process.WaitForExit();

        Assert.That(process.ExitCode, Is.Zero, error.Result);
        using var report = JsonDocument.Parse(output.Result);
        Assert.That(report.RootElement.GetProperty("outcome").GetString(), Is.EqualTo("Passed"));
        Assert.That(report.RootElement.GetProperty("next").EnumerateArray().Select(step => step.GetString()), Has.Some.Contains("--target=Serve"));
        Assert.That(error.Result, Does.Contain("PushSecrets").And.Contain("Next steps"));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "env.sh is for a POSIX shell")]
    public void Writes_an_env_file_that_a_shell_can_source()
    {
        Succeed("--target=SetContexts");
        var result = OutsideTool.Run("/bin/sh", "-eu", "-c", ". \"$1\"; echo \"$CTX_CLUSTER1 $CTX_CLUSTER2 $KUBECONFIG\"", "sh", _scratch.File("mesh/env.sh"));
        Assert.That((result.ExitCode, result.Output.Trim()), Is.EqualTo((0, $"cluster1 cluster2 {_scratch.File("mesh/kubeconfig/merged")}")), result.Error);
    }

    private (int ExitCode, string Output) Run(params string[] arguments) => HostProcess.Run(_scratch.Location, [.. arguments, .. Quick]);

    private string Succeed(params string[] arguments)
    {
        var (code, output) = Run(arguments);
        Assert.That(code, Is.Zero, output);
        return output.ReplaceLineEndings("\n");
    }

    private List<string> Certificates() =>
        [.. Directory.EnumerateFiles(_scratch.File("mesh/certs"), "*.pem", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => file + " " + Convert.ToHexString(File.ReadAllBytes(file)))];

    /// <summary>Starts the first cluster from the state of the last run, to change it externally.</summary>
    private async Task WithClusterAsync(Func<k8s.Kubernetes, Task> act, string cluster = "cluster1")
    {
        var name = ClusterName.Parse(cluster);
        await using var plane = await EmbeddedControlPlane.StartAsync(new EmbeddedControlPlaneOptions { Name = name, StateDirectory = _scratch.File($"mesh/embedded/{cluster}") }, CancellationToken.None);
        using var client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(plane.KubeconfigText))));
        await act(client);
    }
}
