using MeshTrust.ControlPlanes.Native;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.ControlPlanes.Native;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>New intermediates as users get them, with runs killed at any moment, checked by openssl with only the files of each cluster.</summary>
[TestFixture, NonParallelizable, Category(OutsideTool.Category), Category("Slow")]
public sealed class RotationTests
{
    private static readonly string[] Names = ["cluster1", "cluster2", "cluster3"];
    private ScratchDirectory _scratch = null!;
    private NativeControlPlanes? _planes;

    /// <summary>That of clusters that are already there; null if each run brings its own.</summary>
    private string? _kubeconfig;

    [SetUp]
    public void Begin() => _scratch = new ScratchDirectory();

    [TearDown]
    public async Task End()
    {
        if (_planes is not null) await _planes.DisposeAsync();
        (_planes, _kubeconfig) = (null, null);
        _scratch?.Dispose();
    }

    [TestCase("embedded")]
    [TestCase("native")]
    public async Task Three_clusters_rotate_their_intermediates_and_roll_back_and_no_leaf_is_ever_rejected(string provider)
    {
        await BeginAsync(provider);
        var random = TestContext.CurrentContext.Random;
        Succeed("--target=Verify");
        var before = Serials();
        Leaves("old");
        JudgeAll("old");

        // Killed at any moment, and run again until it ends.
        var kills = 0;
        for (var i = 0; i < 4 && !IsDone(); i++)
        {
            using var host = Start("--target=RotateIntermediates");
            Thread.Sleep(TimeSpan.FromSeconds(0.1 + random.NextDouble()));
            if (host.HasExited) break;
            host.Kill();
            kills++;
            JudgeAll("old");
        }

        if (!IsDone()) Succeed("--target=RotateIntermediates");
        TestContext.Out.WriteLine($"{kills} kills");
        Assert.That(Serials().Intersect(before), Is.Empty);
        Assert.That(File.Exists(_scratch.File("mesh/certs/rotation.json")), Is.False);
        Leaves("new");
        JudgeAll("old", "new");
        Assert.That(Succeed("--target=Verify"), Does.Contain("9 of 9 cluster pairs trust each other").And.Contain("secret cacerts unchanged").And.Not.Contain("reissued"));

        var one = Succeed("--target=RotateIntermediates", "--cluster=cluster2", "--preview");
        Assert.That(one, Does.Contain("cluster2: would replace the intermediate").And.Not.Contain("cluster1: would"));
        Assert.That(Succeed("--target=Rollback"), Does.Contain("cluster1: back to the intermediate").And.Contain("cluster3: every pair of clusters proven"));
        Assert.That(Serials(), Is.EqualTo(before));
        JudgeAll("old", "new");
        Assert.That(Succeed("--target=Rollback"), Does.Contain("nothing had to change"));

        // A killed run may have finished its work just before.
        bool IsDone() => !File.Exists(_scratch.File("mesh/certs/rotation.json")) && Readable() is { } serials && !serials.Intersect(before).Any();
        var (code, output) = Run("--target=RotateIntermediates", "--cluster=cluster4");
        Assert.That((code, output.Contains("MT0023", StringComparison.Ordinal)), Is.EqualTo((2, true)), output);
    }

    /// <summary>Every old and new leaf of every cluster is accepted by the files of each cluster in every phase; a run is killed in each.</summary>
    [TestCase("embedded")]
    [TestCase("native")]
    public async Task The_root_changes_phase_by_phase_and_openssl_accepts_every_leaf_until_the_old_root_is_removed(string provider)
    {
        await BeginAsync(provider);
        Succeed("--target=Verify");
        var old = File.ReadAllText(_scratch.File("mesh/certs/root-cert.pem"));
        Leaves("old");
        Assert.That(Succeed("--target=RotateRoot", "--preview"), Does.Contain("No change of root has begun.").And.Contain("Next: trust-both: "));
        Kill();
        JudgeAll("old");
        Phase("trust-both", "old");
        Assert.That(Succeed("--target=Verify"), Does.Contain("A change of root is under way").And.Contain("9 of 9 cluster pairs").And.Contain("secret cacerts unchanged"));
        Kill();
        JudgeAll("old");
        Phase("switch-issuer", "old");
        Leaves("new");
        JudgeAll("old", "new");
        var (code, output) = Run("--target=RotateIntermediates");
        Assert.That((code, output.Contains("MT5513", StringComparison.Ordinal)), Is.EqualTo((9, true)), output);
        Kill();
        JudgeAll("new");
        Phase("drop-old", "new");

        Assert.That(File.ReadAllText(_scratch.File("mesh/certs/root-cert.pem")), Is.Not.EqualTo(old));
        Assert.That(Directory.GetFiles(_scratch.File("mesh"), "root-key.pem", SearchOption.AllDirectories), Has.Length.EqualTo(2), "the old key is kept, the new one is in place");
        Assert.That(Succeed("--target=Verify"), Does.Contain("root: kept").And.Contain("9 of 9 cluster pairs").And.Contain("secret cacerts unchanged").And.Not.Contain("reissued"));
        Shell("! openssl verify -x509_strict -CAfile mesh/certs/cluster1/root-cert.pem -untrusted old-cluster2-chain.pem old-cluster2.pem");

        void Phase(string phase, string ages)
        {
            if (File.Exists(_scratch.File("mesh/certs/root-rotation.json")) || phase == "trust-both") Succeed("--target=RotateRoot", $"--through={phase}");
            JudgeAll(ages);
        }
    }

    /// <summary>
    /// Workloads that trust only the old root, only the new one or both accept each leaf; a run is killed in each phase.
    /// </summary>
    [TestCase("embedded")]
    [TestCase("native")]
    public async Task A_cross_signed_change_begins_with_the_issuer_and_openssl_accepts_every_leaf_with_either_root(string provider)
    {
        await BeginAsync(provider);
        Succeed("--target=Verify");
        Shell("cp mesh/certs/root-cert.pem old-root.pem; for c in " + string.Join(' ', Names) + "; do mkdir -p old/$c; cp old-root.pem old/$c/root-cert.pem; done");
        Leaves("old");
        Kill("--cross-signed", "--rootca-cn=Root CA 2");
        JudgeAll("old");
        Succeed("--target=RotateRoot", "--cross-signed", "--rootca-cn=Root CA 2", "--through=switch-issuer");
        Shell("for c in " + string.Join(' ', Names) + "; do cmp old-root.pem mesh/certs/$c/root-cert.pem || exit 1; mkdir -p new/$c; cp mesh/certs-next/root-cert.pem new/$c/; done");
        Leaves("new");
        Judge("old", "old", "new");
        Judge("new", "new");
        JudgeAll("old", "new");
        Shell("! openssl verify -x509_strict -CAfile old-root.pem new-cluster1.pem && ! openssl verify -x509_strict -CAfile old-root.pem -untrusted mesh/certs/cluster1/ca-cert.pem new-cluster1.pem");
        Assert.That(Succeed("--target=Verify"), Does.Contain("9 of 9 cluster pairs").And.Contain("secret cacerts unchanged").And.Contain("No issues found"));
        Kill();
        JudgeAll("old", "new");
        Succeed("--target=RotateRoot", "--through=trust-both");
        JudgeAll("old", "new");
        Kill();
        JudgeAll("new");
        if (File.Exists(_scratch.File("mesh/certs/root-rotation.json"))) Succeed("--target=RotateRoot");
        JudgeAll("new");
        Leaves("end");
        Judge("new", "new", "end");
        Shell("for c in " + string.Join(' ', Names) + "; do cmp mesh/certs/root-cert.pem mesh/certs/$c/root-cert.pem || exit 1; test $(grep -c BEGIN end-$c-chain.pem) = 2 || exit 1; done");
        Assert.That(Succeed("--target=Verify", "--rootca-cn=Root CA 2"), Does.Contain("root: kept").And.Contain("9 of 9 cluster pairs").And.Contain("secret cacerts unchanged").And.Not.Contain("reissued"));
    }

    /// <summary>
    /// Clusters whose istiods made their own CAs. Nothing runs istiod here: the test publishes what one would that has just started. A leaf
    /// is signed with what one cluster holds, and judged by what another publishes.
    /// </summary>
    [TestCase("embedded")]
    [TestCase("native")]
    public async Task Self_signed_clusters_come_under_one_root_and_openssl_accepts_every_leaf(string provider)
    {
        OutsideTool.Find("kubectl");
        await BeginAsync(provider);
        using var serve = provider == "embedded" ? HostProcess.Start(_scratch.Location, ["--target=Serve", "--work-dir=served", "--provider=embedded", "--clusters=3"]) : null;
        serve?.WaitForOutput("Serving until Ctrl-C");
        var kubeconfig = _kubeconfig ??= _scratch.File("served/kubeconfig/merged");
        InEach("""
            openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca-cert.pem -days 3650 -subj /O=cluster.local -addext keyUsage=critical,keyCertSign 2>/dev/null
            cp ca-cert.pem cert-chain.pem; cp ca-cert.pem root-cert.pem
            $k create namespace istio-system
            $k -n istio-system create secret generic istio-ca-secret --from-file=ca-cert.pem --from-file=ca-key.pem --from-literal=cert-chain.pem= --from-literal=root-cert.pem=
            $k -n istio-system create configmap istio-ca-root-cert --from-file=root-cert.pem
            """);
        Leaves("self", "held");
        Shell("! openssl verify -CAfile held/cluster1/root-cert.pem -untrusted self-cluster2-chain.pem self-cluster2.pem");

        Assert.That(Rotate(code: 9), Does.Contain("MT5512").And.Contain("rollout restart deployment -l app=istiod").And.Contain("becomes cacerts"));
        Restart();
        Assert.That(Rotate(), Does.Contain("Phase trust-both passed its gate"));
        Judge("held", "self");
        Assert.That(Rotate(), Does.Contain("Phase switch-issuer passed its gate"));
        Restart();
        Leaves("new", "held");
        Judge("held", "self", "new");
        Assert.That(Rotate(code: 9), Does.Contain("MT5512").And.Contain("ISTIO_MULTIROOT_MESH").And.Not.Contain("without cacerts"), "nobody has published the roots without the old ones");
        Restart();
        var end = Rotate();
        Judge("held", "new");
        Shell("! openssl verify -CAfile held/cluster1/root-cert.pem -untrusted self-cluster1-chain.pem self-cluster1.pem");
        foreach (var delete in end.Split('\n').Where(l => l.Contains("Delete it: ", StringComparison.Ordinal))) Shell($"export KUBECONFIG={kubeconfig}; " + delete.Split("Delete it: ")[1]);
        Assert.That(Succeed("--target=Verify"), Does.Contain("9 of 9 cluster pairs").And.Contain("secret cacerts unchanged").And.Contain("MT5013 pass"));

        void Restart() => InEach("""
            for f in ca-cert.pem ca-key.pem cert-chain.pem root-cert.pem; do $k -n istio-system get secret cacerts -o go-template="{{index .data \"$f\"}}" | base64 -d > $f; done
            $k -n istio-system create configmap istio-ca-root-cert --from-file=root-cert.pem --dry-run=client -o yaml | $k apply -f - 2>/dev/null
            """);

        void InEach(string script) => Shell($"set -e\nfor c in {string.Join(' ', Names)}; do\nk=\"kubectl --kubeconfig {kubeconfig} --context $c\"; mkdir -p held/$c; cd held/$c\n{script}\ncd ../..; done");

        string Rotate(int code = 0)
        {
            Thread.Sleep(TimeSpan.FromSeconds(1.1));
            var (exit, output) = Run("--target=RotateRoot", "--wait-live=1s", "--soak=1s");
            Assert.That(exit, Is.EqualTo(code), output);
            return output;
        }
    }

    /// <summary>A run that is killed at any moment, perhaps after the phase has ended.</summary>
    private void Kill(params string[] more)
    {
        using var host = Start(["--target=RotateRoot", .. more]);
        Thread.Sleep(TimeSpan.FromSeconds(0.1 + TestContext.CurrentContext.Random.NextDouble()));
        if (!host.HasExited) host.Kill();
    }

    /// <summary>Real servers are started once for all runs of a test.</summary>
    private async Task BeginAsync(string provider)
    {
        if (provider == "native") _planes = await NativeControlPlanes.StartAsync(new NativeControlPlanesOptions { Names = Names, Binaries = RealBinaries.Find(), StartTimeout = TimeSpan.FromMinutes(3) });
        _kubeconfig = _planes?.MergedKubeconfigPath;
    }

    private HostProcess Start(params string[] more)
    {
        string[] where = _kubeconfig is null ? ["--provider=embedded", "--clusters=3"] : ["--provider=existing", $"--cluster-names={string.Join(',', Names)}"];
        var environment = _kubeconfig is null ? null : Names.ToDictionary(n => $"CTX_{n.ToUpperInvariant()}", string? (n) => n).Append(new("KUBECONFIG", _kubeconfig)).ToDictionary();
        return HostProcess.Start(_scratch.Location, ["--work-dir=mesh", "--rootca-keysz=p256", "--intermediate-keysz=p256", .. where, .. more], environment);
    }

    private (int ExitCode, string Output) Run(params string[] more)
    {
        using var host = Start(more);
        return (host.WaitForExit(), host.Output);
    }

    private string Succeed(params string[] more)
    {
        var (code, output) = Run(more);
        Assert.That(code, Is.Zero, output);
        return output;
    }

    /// <summary>Null while a killed run has left files that do not match.</summary>
    private List<string>? Readable()
    {
        try
        {
            return Serials();
        }
        catch (MeshTrustException)
        {
            return null;
        }
    }

    private List<string> Serials() =>
        Names.Select(n => new TrustStore(_scratch.File("mesh/certs")).ReadCacerts(ClusterName.Parse(n)).Certificate.SerialNumber).ToList();

    /// <summary>A workload of each cluster, signed by openssl with the cluster's files.</summary>
    private void Leaves(string age, string files = "mesh/certs") => Shell($"""
        set -e
        for c in {string.Join(' ', Names)}; do
          d={files}/$c
          printf 'subjectAltName=critical,URI:spiffe://cluster.local/ns/a/sa/%s\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n' $c > ext
          openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -subj / -out leaf.csr 2>/dev/null
          openssl x509 -req -in leaf.csr -CA $d/ca-cert.pem -CAkey $d/ca-key.pem -days 1 -extfile ext -out {age}-$c.pem 2>/dev/null
          cp $d/cert-chain.pem {age}-$c-chain.pem
        done
        """);

    private void JudgeAll(params string[] ages) => Judge("mesh/certs", ages);

    private void Judge(string files, params string[] ages) => Shell($"""
        set -e
        for age in {string.Join(' ', ages)}; do for from in {string.Join(' ', Names)}; do for to in {string.Join(' ', Names)}; do
          openssl verify -x509_strict -purpose sslserver -CAfile {files}/$to/root-cert.pem -untrusted $age-$from-chain.pem $age-$from.pem
        done; done; done
        """);

    private void Shell(string script)
    {
        OutsideTool.Find("openssl");
        var result = OutsideTool.Run(OutsideTool.Find("sh"), "-c", $"cd '{_scratch.Location}'\n{script.ReplaceLineEndings("\n")}");
        Assert.That(result.ExitCode, Is.Zero, result.ToString());
    }
}
