using System.Text.Json;
using k8s;
using k8s.Models;
using MeshTrust.ControlPlanes.Embedded;
using MeshTrust.ControlPlanes.Native;
using MeshTrust.Settings;
using MeshTrust.Tests.ControlPlanes.Native;
using MeshTrust.Tests.Tools;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Live;

/// <summary>The targets for the life of a CA as users run them: no cluster is contacted, and openssl and zlint check the result.</summary>
[TestFixture, NonParallelizable]
public sealed class CertificateTasksTests
{
    private const string AllButRfcs = "Apple,CABF_BR,CABF_EV,CABF_SMIME_BR,ETSI_ESI,Mozilla";
    private static readonly string[] Quick = ["--work-dir=mesh", "--rootca-keysz=p256", "--intermediate-keysz=p256", "--provider=embedded"];
    private ScratchDirectory _scratch = null!;

    [SetUp]
    public void Begin() => _scratch = new ScratchDirectory();

    [TearDown]
    public void End() => _scratch?.Dispose();

    [Test, Category(OutsideTool.Category)]
    public void Issues_files_for_a_VM_that_openssl_and_zlint_accept_and_keeps_them()
    {
        var (openssl, zlint) = (OutsideTool.Find("openssl"), OutsideTool.Find("zlint"));
        Expect(0, "--target=ClusterCacerts");
        string[] workloads = ["--workload=bookinfo/ratings-vm", "--workload=bookinfo/mysql.vm,prod/db", "--cluster=cluster2"];
        var output = Expect(0, ["--target=WorkloadCerts", .. workloads]);
        var folder = _scratch.File("mesh/certs/workloads/cluster2/bookinfo/ratings-vm");
        Assert.That(output, Does.Contain("bookinfo/ratings-vm (cluster2): issued, until ").And.Contain("prod/db (cluster2): issued").And.Contain($"key.pem, cert-chain.pem, root-cert.pem in {folder}"));

        string At(string file) => Path.Combine(folder, file);
        foreach (var purpose in new[] { "sslserver", "sslclient" })
        {
            var verified = OutsideTool.Run(openssl, "verify", "-x509_strict", "-purpose", purpose, "-CAfile", At("root-cert.pem"), "-untrusted", At("cert-chain.pem"), At("cert-chain.pem"));
            Assert.That(verified.ExitCode, Is.Zero, verified.ToString());
        }

        Assert.That(OutsideTool.Run(openssl, "x509", "-in", At("cert-chain.pem"), "-noout", "-ext", "subjectAltName").Output, Does.Contain("critical").And.Contain("URI:spiffe://cluster.local/ns/bookinfo/sa/ratings-vm"));
        Assert.That(OutsideTool.Run(openssl, "pkey", "-in", At("key.pem"), "-pubout").Output, Is.EqualTo(OutsideTool.Run(openssl, "x509", "-in", At("cert-chain.pem"), "-noout", "-pubkey").Output));
        var lint = OutsideTool.Run(zlint, "-excludeSources", AllButRfcs, At("cert-chain.pem"));
        using var report = JsonDocument.Parse(lint.Output.Split('\n')[0]);
        Assert.That(report.RootElement.EnumerateObject().Where(l => l.Value.GetProperty("result").GetString() is "error" or "warn" or "fatal").Select(l => l.Name), Is.Empty);

        var before = Files();
        Assert.That(Expect(0, ["--target=WorkloadCerts", .. workloads]), Does.Contain("bookinfo/ratings-vm (cluster2): kept").And.Contain("prod/db (cluster2): kept"));
        Assert.That(Files(), Is.EqualTo(before));
        Assert.That(Expect(0, ["--target=WorkloadCerts", .. workloads, "--workload-days=30"]), Does.Contain("reissued").And.Contain("It is valid for 1 days, but 30 were requested."));
        Assert.That(Expect(0, "--target=Verify"), Does.Contain("4 of 4 cluster pairs trust each other").And.Contain("No issues found"), "the store is still as it should be");
    }

    [Test]
    public void Rejects_a_missing_workload_name_and_an_unknown_cluster()
    {
        Assert.That(Expect(2, "--target=WorkloadCerts"), Does.Contain("MT0010").And.Contain("--workload=NAMESPACE/SERVICEACCOUNT"));
        Assert.That(Expect(2, "--target=WorkloadCerts", "--workload=a/b", "--cluster=west"), Does.Contain("MT0023 --cluster").And.Contain("cluster1, cluster2"));
        Assert.That(Expect(2, "--target=WorkloadCerts", "--workload=Bookinfo/x,nothing"), Does.Contain("MT0009 --workload").And.Contain("\"Bookinfo/x\"").And.Contain("\"nothing\""));
        Assert.That(Expect(7, "--target=WorkloadCerts", "--workload=a/b"), Does.Contain("MT5113").And.Contain("ClusterCacerts"));
    }

    [Test]
    public void Inspect_shows_the_store_and_single_files_as_lines_a_tree_or_json()
    {
        Assert.That(Expect(7, "--target=Inspect"), Does.Contain("MT5120"));
        Expect(0, "--target=ClusterCacerts");
        Assert.That(Expect(0, "--target=Inspect"), Does.Contain("CERTIFICATE root-cert.pem subject O=Istio, CN=Root CA; self-signed; valid ").And.Contain("KEY cluster2/ca-key.pem ECDSA P-256, id ").And.Contain("fits 'O=Istio, CN=Intermediate CA, L=cluster2'"));
        Assert.That(Expect(0, "--target=Inspect", "--output=table"), Does.Match("O=Istio, CN=Intermediate CA, L=cluster1").And.Match("SHA-256 [0-9a-f]{20}"));

        using var host = HostProcess.Start(_scratch.Location, ["--target=Inspect", "--file=mesh/certs/cluster1/cert-chain.pem", "--file=mesh/certs/root-key.pem", "--output=json", .. Quick]);
        Assert.That(host.WaitForExit(), Is.Zero, host.Output);
        using var json = JsonDocument.Parse(host.StandardOutput);
        Assert.That(json.RootElement.GetProperty("files").GetArrayLength(), Is.EqualTo(2));
        Assert.That(json.RootElement.GetProperty("files")[1].GetProperty("keys")[0].GetProperty("fits")[0].GetString(), Is.EqualTo("O=Istio, CN=Root CA"));
        Assert.That(host.StandardOutput, Does.Not.Contain("PRIVATE KEY"));
    }

    [Test]
    public void NeedsRenewal_exits_with_the_codes_of_step()
    {
        Assert.That(Expect(2, "--target=NeedsRenewal"), Does.Contain("MT5120").And.Contain("RESULT a file does not exist: exit code 2"));
        Expect(0, "--target=ClusterCacerts");
        Assert.That(Expect(1, "--target=NeedsRenewal"), Does.Contain("FINE cluster1/ca-cert.pem").And.Contain("FINE root-cert.pem").And.Contain("RESULT nothing is due (--renew-before=30d): exit code 1"));
        var now = TimeProvider.System.GetUtcNow();
        _scratch.Write("mesh/certs/old/ca-cert.pem", CraftedCertificate.Root(new CraftedSpec { NotBefore = now.AddDays(-300), NotAfter = now.AddDays(20) }).Pem);
        Assert.That(Expect(0, "--target=NeedsRenewal"), Does.Contain("DUE old/ca-cert.pem").And.Contain("FINE root-cert.pem").And.Contain("RESULT renewal is due"));
        Assert.That(Expect(1, "--target=NeedsRenewal", "--renew-before=5d"), Does.Contain("RESULT nothing is due (--renew-before=5d): exit code 1"));
        Assert.That(Expect(1, "--target=NeedsRenewal", "--file=mesh/certs/root-cert.pem"), Does.Contain("FINE "));
        Assert.That(Expect(255, "--target=NeedsRenewal", "--file=mesh/certs/root-key.pem"), Does.Contain("exit code 255"));
        using var host = HostProcess.Start(_scratch.Location, ["--target=NeedsRenewal", "--output=json", .. Quick]);
        Assert.That(host.WaitForExit(), Is.Zero, host.Output);
        using var json = JsonDocument.Parse(host.StandardOutput);
        Assert.That(json.RootElement.GetProperty("certificates").GetArrayLength(), Is.EqualTo(4));
    }

    [Test]
    public void Lint_judges_the_store_and_single_files()
    {
        Expect(0, "--target=ClusterCacerts");
        Expect(0, "--target=WorkloadCerts", "--workload=a/b");
        Assert.That(Expect(0, "--target=Lint"), Does.Contain("MT5003 pass").And.Contain("MT5027 pass").And.Contain("LINT 4 certificates in 13 files"));
        var now = TimeProvider.System.GetUtcNow();
        var odd = CraftedCertificate.Root(new CraftedSpec { PathLength = 0, UsageCritical = false, NotAfter = now.AddDays(30) });
        _scratch.Write("odd.pem", CraftedMesh.Intermediate(odd, "east").Pem + odd.Pem);
        var reported = Expect(9, "--target=Lint", "--file=odd.pem");
        Assert.That(reported, Does.Contain("MT5009 error").And.Contain("MT5011 error").And.Contain("MT5025 warning"));
        _scratch.Write("odd.pem", CraftedCertificate.Root(new CraftedSpec { UsageCritical = false }).Pem);
        Expect(0, "--target=Lint", "--file=odd.pem", "--output=table");
        Expect(9, "--target=Lint", "--file=odd.pem", "--strict");
        Expect(7, "--target=Lint", "--file=nothing.pem");
    }

    /// <summary>From one cluster with a self-signed istiod to two clusters, without downtime: two commands.</summary>
    [TestCase(false)]
    [TestCase(true, Category = OutsideTool.Category, Description = "a real kube-apiserver")]
    public async Task The_root_of_a_running_cluster_becomes_the_root_of_the_mesh(bool isReal)
    {
        await using var servers = await StartAsync(isReal);
        var istiod = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=cluster.local"] });
        await servers.ApplyAsync("east", istiod);
        var variables = servers.Variables(_scratch);

        (int Code, string Output) Run(params string[] arguments) => HostProcess.Run(_scratch.Location, [.. arguments, "--cluster-names=east,west", .. Quick[..^1]], variables);
        Assert.That(Run("--target=FetchRootCa", "--from=west").Output, Does.Contain("MT5121 west"));
        var (refused, reported) = Run("--target=Verify", "--certs-dir=other");
        Assert.That(reported, Does.Contain("MT5201 east").And.Contain("MT5228 west"));
        Assert.That((refused, reported.Contains("run --target=FetchRootCa --from=east --certs-dir=live-certs", StringComparison.Ordinal)), Is.EqualTo((8, true)), reported);
        Assert.That(Run("--target=FetchRootCa").Output, Does.Contain("MT0010 --from").And.Contain("Use --from=east."));
        var (code, output) = Run("--target=FetchRootCa", "--from=east");
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Contain("root: imported from east/istio-ca-secret, O=cluster.local (until").And.Contain("run --target=Verify with the same --certs-dir").And.Not.Contain("PRIVATE KEY"));
        Assert.That(File.ReadAllText(_scratch.File("mesh/certs/root-key.pem")), Is.EqualTo(istiod.Key.Pkcs8));
        if (!OperatingSystem.IsWindows()) Assert.That(File.GetUnixFileMode(_scratch.File("mesh/certs/root-key.pem")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));

        (code, output) = Run("--target=Verify");
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Contain("east: secret cacerts created").And.Contain("4 of 4 cluster pairs trust each other").And.Not.Contain("MT5201"));
        Assert.That(Run("--target=FetchRootCa", "--from=east").Output, Does.Contain("root: kept from east/istio-ca-secret"));
        Assert.That(Run("--target=FetchRootCa", "--from=west").Output, Does.Contain("MT5122 west"));
    }

    /// <summary>openssl judges as a sidecar does: with the roots and the CRLs of each cluster's secret, and the chain that a peer sends.</summary>
    [Test, Category(OutsideTool.Category)]
    public async Task A_revoked_intermediate_is_rejected_with_what_each_secret_of_a_real_server_holds_and_the_new_one_is_not()
    {
        OutsideTool.Find("openssl");
        var zlint = OutsideTool.Find("zlint");
        await using var servers = await StartAsync(isReal: true);
        var variables = servers.Variables(_scratch);
        string Run(params string[] arguments)
        {
            var (code, output) = HostProcess.Run(_scratch.Location, [.. arguments, "--cluster-names=east,west", .. Quick[..^1]], variables);
            Assert.That(output, Does.Not.Contain("PRIVATE KEY"));
            return $"{code}: {output}";
        }

        Assert.That(Run("--target=Verify"), Does.StartWith("0:").And.Contain("MT5023 n/a"));
        await servers.SaveAsync(_scratch, "old");
        Assert.That(Run("--target=Revoke", "--cluster=east"), Does.StartWith("7:").And.Contain("MT5154 east"));
        Assert.That(Run("--target=RotateIntermediates", "--cluster=east"), Does.StartWith("0:"));
        Assert.That(Run("--target=Revoke", "--cluster=east"), Does.StartWith("0:").And.Contain("4 of 4 CRLs new"));
        Assert.That(Run("--target=Verify"), Does.StartWith("0:").And.Contain("east: secret cacerts changed").And.Contain("4 of 4 cluster pairs trust each other").And.Contain("MT5023 pass"));
        Assert.That(Run("--target=Verify"), Does.StartWith("0:").And.Contain("west: secret cacerts unchanged").And.Contain("ca-crl.pem: kept"));
        await servers.SaveAsync(_scratch, "new");
        Shell("""
            set -e
            for ca in old/east new/east new/west; do
              printf 'subjectAltName=critical,URI:spiffe://cluster.local/ns/a/sa/b\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n' > ext
              openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -subj / -out leaf.csr 2>/dev/null
              openssl x509 -req -in leaf.csr -CA $ca/ca-cert.pem -CAkey $ca/ca-key.pem -days 1 -extfile ext -out $ca/leaf.pem 2>/dev/null
            done
            judge() { openssl verify -x509_strict -crl_check_all -CAfile new/$1/root-cert.pem -CRLfile new/$1/ca-crl.pem -untrusted $2/cert-chain.pem $2/leaf.pem; }
            for to in east west; do
              judge $to new/east; judge $to new/west
              ! judge $to old/east > out 2>&1
              grep 'certificate revoked' out
            done
            awk '/BEGIN/{n++}{print > ("crl-" n ".pem")}' new/east/ca-crl.pem
            """);
        for (var i = 1; i <= 4; i++)
        {
            using var report = JsonDocument.Parse(OutsideTool.Run(zlint, "-excludeSources", AllButRfcs, _scratch.File($"crl-{i}.pem")).Output);
            var lints = report.RootElement.EnumerateObject().ToLookup(l => l.Value.GetProperty("result").GetString(), l => l.Name);
            Assert.That((lints["error"].Concat(lints["warn"]).Concat(lints["fatal"]), lints["pass"].Any()), Is.EqualTo((Array.Empty<string>(), true)));
        }
    }

    private void Shell(string script)
    {
        var result = OutsideTool.Run(OutsideTool.Find("sh"), "-c", $"cd '{_scratch.Location}'\n{script.ReplaceLineEndings("\n")}");
        Assert.That(result.ExitCode, Is.Zero, result.ToString());
    }

    private static async Task<Servers> StartAsync(bool isReal)
    {
        if (isReal)
        {
            var planes = await NativeControlPlanes.StartAsync(new NativeControlPlanesOptions { Names = ["east", "west"], Binaries = RealBinaries.Find(), StartTimeout = TimeSpan.FromMinutes(3) });
            return new([planes], planes.Planes.ToDictionary(p => p.Key, p => p.Value.KubeconfigText));
        }

        var (east, west) = (await StartAsync("east"), await StartAsync("west"));
        return new([east, west], new() { ["east"] = east.KubeconfigText, ["west"] = west.KubeconfigText });

        static Task<EmbeddedControlPlane> StartAsync(string name) => EmbeddedControlPlane.StartAsync(new EmbeddedControlPlaneOptions { Name = ClusterName.Parse(name) }, CancellationToken.None);
    }

    private sealed class Servers(IAsyncDisposable[] planes, Dictionary<string, string> kubeconfigs) : IAsyncDisposable
    {
        /// <summary>What a self-signed istiod leaves in a cluster.</summary>
        public async Task ApplyAsync(string cluster, CraftedCertificate ca)
        {
            using var client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(kubeconfigs[cluster]))));
            await client.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = "istio-system" } });
            await client.CreateNamespacedSecretAsync(new V1Secret
            {
                Metadata = new V1ObjectMeta { Name = "istio-ca-secret" },
                Type = "istio.io/ca-root",
                StringData = new Dictionary<string, string> { ["ca-cert.pem"] = ca.Pem, ["ca-key.pem"] = ca.Key.Pkcs8, ["cert-chain.pem"] = "", ["key.pem"] = "", ["root-cert.pem"] = "" },
            }, "istio-system");
            await client.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "istio-ca-root-cert" }, Data = new Dictionary<string, string> { ["root-cert.pem"] = ca.Pem } }, "istio-system");
        }

        /// <summary>Writes what the secrets hold to files.</summary>
        public async Task SaveAsync(ScratchDirectory scratch, string folder)
        {
            foreach (var (cluster, kubeconfig) in kubeconfigs)
            {
                using var client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(kubeconfig))));
                var secret = await client.ReadNamespacedSecretAsync("cacerts", "istio-system");
                foreach (var (key, value) in secret.Data) scratch.Write($"{folder}/{cluster}/{key}", System.Text.Encoding.UTF8.GetString(value));
            }
        }

        public Dictionary<string, string?> Variables(ScratchDirectory scratch) => new()
        {
            ["KUBECONFIG"] = string.Join(Path.PathSeparator, kubeconfigs.Select(k => scratch.Write(k.Key, k.Value))), ["CTX_CLUSTER1"] = "east", ["CTX_CLUSTER2"] = "west",
        };

        public async ValueTask DisposeAsync()
        {
            foreach (var plane in planes) await plane.DisposeAsync();
        }
    }

    private string Expect(int code, params string[] arguments)
    {
        var (actual, output) = HostProcess.Run(_scratch.Location, [.. arguments, .. Quick]);
        Assert.That(actual, Is.EqualTo(code), output);
        return output.ReplaceLineEndings("\n");
    }

    private List<string> Files() =>
        [.. Directory.EnumerateFiles(_scratch.File("mesh/certs"), "*.pem", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => file + Convert.ToHexString(File.ReadAllBytes(file)))];
}
