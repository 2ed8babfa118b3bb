using MeshTrust.Checks;
using MeshTrust.Reporting;
using MeshTrust.Tests.Istiod;
using Spectre.Console.Testing;

namespace MeshTrust.Tests.Verification;

/// <summary>Verify against a server that speaks Istio's certificate service, and everything that can go wrong with it.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class LiveMeshTests
{
    private static readonly CraftedCertificate Root = RunningMesh.Root;

    [Test]
    public async Task Requests_a_certificate_from_each_istiod_and_proves_every_pair()
    {
        await using var mesh = new RunningMesh();
        await mesh.AddAsync("east");
        await mesh.AddAsync("west");
        var report = await mesh.VerifyAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Live!.Istiods.Select(i => (i.Cluster, i.Revision, i.Pod, i.IsCurrent, i.Note)), Is.EqualTo(new (string, string, string, bool?, string?)[]
            {
                ("east", "", "istiod-east", true, null), ("west", "", "istiod-west", true, null),
            }));
            Assert.That(report.Live.Istiods.Select(i => i.SigningCa!.Sha256), Is.EqualTo(report.Clusters.Select(c => c.Intermediate!.Sha256)));
            Assert.That((report.Live.Matrix.Trusted, report.Live.Matrix.Pairs.Count, report.Live.Matrix.Handshakes), Is.EqualTo((4, 4, 4)));
            Assert.That(Live(report), Is.Empty);
            Assert.That(report.Checks.Where(c => c.Id.StartsWith("MT54", StringComparison.Ordinal)).Select(c => c.Outcome), Is.EqualTo(Enumerable.Repeat(CheckOutcome.Passed, 4)));
            Assert.That(report.Verdict, Does.Contain("4 of 4 with certificates that istiod issued"));
        }
    }

    [Test]
    public async Task A_new_intermediate_that_istiod_has_not_loaded_is_pending()
    {
        await using var mesh = new RunningMesh();
        var old = CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, "east"));
        await mesh.AddAsync("east", b => b with { Ca = () => new CertificateAuthority(old) });
        await mesh.AddAsync("west");
        var report = await mesh.VerifyAsync();

        var finding = Live(report).Single();
        Assert.That((finding.Id, finding.Severity, finding.Location), Is.EqualTo(("MT5401", Severity.Warning, "east")));
        Assert.That(finding.Hint, Does.Contain("--wait-live=2m"));
        Assert.That(report.Live!.Istiods.Select(i => i.IsCurrent), Is.EqualTo(new[] { false, true }));
        Assert.That(report.Live.Istiods[0].SigningCa!.SerialNumber, Is.Not.EqualTo(report.Clusters[0].Intermediate!.SerialNumber));
        Assert.That(report.Live.Matrix.Trusted, Is.EqualTo(4), "the old intermediate has the same root");
    }

    [Test]
    public async Task Every_pod_of_an_istiod_is_asked()
    {
        await using var mesh = new RunningMesh();
        var old = CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, "east"));
        var api = await mesh.AddAsync("east");
        await mesh.AddRevisionAsync("east", "default", b => b with { Ca = () => new CertificateAuthority(old) }, "istiod-late");
        await mesh.AddRevisionAsync("east", "default", b => b, "istiod-mute");
        api.Faults["forward istiod-mute"] = new Problem("MT3007", "east", "You may not.", "Ask.");
        var report = await mesh.VerifyAsync();

        Assert.That(report.Findings.Where(f => f.Id == "MT5015").Select(f => (f.Severity, f.Location, f.Message.Split(' ')[1])), Is.EqualTo(new[] { (Severity.Warning, "east", "istiod-late"), (Severity.Warning, "east", "istiod-mute") }));
        Assert.That(Live(report), Is.Empty, "the istiod has loaded it");
        Assert.That(report.Live!.Istiods.Select(i => (i.Pod, i.IsCurrent)), Is.EqualTo(new (string, bool?)[] { ("istiod-east", true), ("istiod-late", false), ("istiod-mute", null) }));
    }

    /// <summary>What istiod has loaded, what the secret has, and whether it takes that: L is the root, N a new one, a space a blank line.</summary>
    [TestCase("L", "L", "1.29.2", false, true)]
    [TestCase("L", " L", "1.29.2", false, false)]
    [TestCase("L", " L", "1.29.2", true, true)]
    [TestCase("L", "LN", "1.29.2", false, false)]
    [TestCase("L", "LN", "1.29.2", true, true)]
    [TestCase("LN", "L", "1.29.2", true, true)]
    [TestCase("LN", "NL", "1.29.2", true, false)]
    [TestCase("LN", "NL", "1.30.0-distroless", true, true)]
    [TestCase("LN", "NL", "latest", true, false)]
    [TestCase("LN", "LM", "1.30.0", true, false)]
    public async Task Knows_which_files_of_roots_a_running_istiod_takes(string loaded, string secret, string version, bool multiRoot, bool takes)
    {
        await using var mesh = new RunningMesh();
        var api = await mesh.AddAsync("east");
        var others = new Dictionary<char, string> { ['L'] = Root.Pem, [' '] = "\n", ['N'] = CraftedCertificate.Root().Pem, ['M'] = CraftedCertificate.Root().Pem };
        var files = CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, "east"));
        api.Secrets["istio-system/cacerts"] = CraftedMesh.Secret("cacerts", new(files) { ["root-cert.pem"] = Roots(secret) });
        api.ConfigMaps["istio-system/istio-ca-root-cert"] = CraftedMesh.Roots("istio-system", Roots(loaded));
        var container = api.Objects.Values.Single()["spec"]!["containers"]![0]!;
        (container["image"], container["env"]![0]!["value"]) = ($"registry:5000/pilot:{version}@sha256:12", multiRoot ? "true" : "false");
        var report = await mesh.VerifyAsync();

        Assert.That(report.Findings.Where(f => f.Id == "MT5022").Select(f => (f.Severity, f.Location)), Is.EqualTo(takes ? [] : new[] { (Severity.Warning, "east") }));

        string Roots(string text) => string.Concat(text.Select(c => others[c]));
    }

    [Test]
    public async Task Waits_until_istiod_has_loaded_the_new_intermediate()
    {
        await using var mesh = new RunningMesh();
        var old = new CertificateAuthority(CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, "east")));
        var requests = 0;
        await mesh.AddAsync("east", b => b with { Ca = () => Interlocked.Increment(ref requests) <= 2 ? old : b.Ca() });
        var reported = new List<string>();
        var report = await mesh.VerifyAsync(TimeSpan.FromSeconds(60), reported.Add);

        Assert.That((Live(report).Count(), report.Live!.Istiods[0].IsCurrent), Is.EqualTo((0, true)));
        Assert.That(reported, Is.EqualTo(new[] { "istiod in 'east'" }));
    }

    /// <summary>What istiod does wrong, and the findings: id and location.</summary>
    private static IEnumerable<TestCaseData> Faults()
    {
        var other = CraftedCertificate.Root();
        var foreign = new CertificateAuthority(CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, "east")));
        var self = new CertificateAuthority(new Dictionary<string, string>
        {
            ["ca-cert.pem"] = other.Pem, ["ca-key.pem"] = other.Key.Pkcs8, ["cert-chain.pem"] = other.Pem, ["root-cert.pem"] = other.Pem,
        });
        yield return Case("self-signed", b => b with { Ca = () => self }, "MT5403 east").SetName("{m}(self-signed)");
        yield return Case("foreign root", b => b with { Ca = () => foreign }, "MT5401 east", "MT5403 east").SetName("{m}(foreign root)");
        yield return Case("foreign issuer", b => b with { ServingCa = b.Ca, Ca = () => foreign }, "MT5401 east", "MT5402 east", "MT5402 east -> west").SetName("{m}(a CA that does not serve)");
        yield return Case("wrong name", b => b with { Names = ["other.example"] }, "MT5403 east").SetName("{m}(another name)");
        yield return Case("expired", b => b with { ServingLife = TimeSpan.FromMinutes(1) }, "MT5403 east").SetName("{m}(an expired certificate)");
        yield return Case("unauthenticated", b => b with { Answer = _ => throw new Grpc.Core.RpcException(new Grpc.Core.Status(Grpc.Core.StatusCode.Unauthenticated, "request authenticate failure")) }, "MT5404 east").SetName("{m}(unauthenticated)");
        yield return Case("slow", b => b with { Delay = TimeSpan.FromMinutes(1) }, "MT5404 east").SetName("{m}(slow)");
        yield return Case("empty", b => b with { Answer = _ => [] }, "MT5404 east").SetName("{m}(empty answer)");
        yield return Case("rubbish", b => b with { Answer = _ => ["no certificate"] }, "MT5404 east").SetName("{m}(rubbish)");
        yield return Case("trust domain", b => b with { TrustDomain = "other.example" }, "MT5402 east", "MT5402 east -> west").SetName("{m}(another trust domain)");
        yield return Case("short chain", b => b with { Answer = chain => [chain[0], chain[2]] }, "MT5402 east", "MT5402 east -> west").SetName("{m}(no intermediate)");
        yield return Case("someone else's", b => b with { Answer = chain => [foreign.Sign(Request(), "spiffe://cluster.local/ns/istio-system/sa/default", TimeSpan.FromHours(1)), foreign.Chain] }, "MT5404 east").SetName("{m}(a certificate for another key)");

        static TestCaseData Case(string name, Func<Behaviour, Behaviour> change, params string[] findings) => new(change, findings);
    }

    [TestCaseSource(nameof(Faults))]
    public async Task Reports_what_is_wrong(Func<Behaviour, Behaviour> change, string[] findings)
    {
        await using var mesh = new RunningMesh { Patience = TimeSpan.FromSeconds(5) };
        await mesh.AddAsync("east", change);
        await mesh.AddAsync("west");
        var report = await mesh.VerifyAsync();

        Assert.That(Live(report).Select(f => $"{f.Id} {f.Location}").Distinct(), Is.EquivalentTo(findings), string.Join("\n", Live(report)));
        Assert.That(report.Live!.Matrix.Pairs.Where(p => p.From == "west" && p.To == "west").Select(p => p.Trusted), Is.EqualTo(new[] { true }), "the other cluster is still proven");
        Assert.That(report.Live.Matrix.Pairs.Where(p => p.From == "east").Select(p => p.Trusted), Has.None.EqualTo(true));
        Assert.That(string.Join("\n", Live(report)), Does.Not.Contain("eyJ").And.Not.Contain("Exception"));
    }

    [Test]
    public async Task A_token_never_reaches_a_server_that_workloads_reject()
    {
        var other = CraftedCertificate.Root();
        var foreign = new CertificateAuthority(CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, "east")));
        var asked = false;
        await using var mesh = new RunningMesh();
        await mesh.AddAsync("east", b => b with
        {
            ServingCa = () => foreign,
            Answer = chain =>
            {
                asked = true;
                return chain;
            },
        });
        await mesh.VerifyAsync();

        Assert.That(asked, Is.False);
    }

    /// <summary>Why no certificate can be requested, and the note of the istiod.</summary>
    [TestCase("list pods", "You may not.")]
    [TestCase("forward istiod-east", "You may not.")]
    [TestCase("post serviceaccounts/default/token", "You may not.")]
    public async Task Says_why_no_certificate_could_be_requested(string call, string note)
    {
        await using var mesh = new RunningMesh();
        var api = await mesh.AddAsync("east");
        api.Faults[call] = new Problem("MT3007", "east", "You may not.", "Ask.");
        var report = await mesh.VerifyAsync();

        Assert.That(report.Live!.Matrix.Pairs, Is.Empty);
        Assert.That(report.Live.Matrix.Method, Does.StartWith("No istiod issued a certificate.").And.Contain(note));
        Assert.That(report.Live.Istiods.Single().Note, Does.Contain(note));
        Assert.That(Live(report).Where(f => f.Severity == Severity.Error), Is.Empty);
        Assert.That(report.Outcome, Is.Not.EqualTo(TrustOutcome.Failed));
    }

    [Test]
    public async Task Without_a_ready_pod_no_certificate_is_requested()
    {
        await using var mesh = new RunningMesh();
        var api = await mesh.AddAsync("east");
        foreach (var pod in api.Objects.Values) pod["status"]!["conditions"]![0]!["status"] = "False";
        var report = await mesh.VerifyAsync();

        Assert.That(report.Live!.Istiods.Single().Note, Is.EqualTo("No istiod pod is ready in the namespace 'istio-system'."));
    }

    [Test]
    public async Task Reads_nothing_if_istiod_never_ran()
    {
        await using var mesh = new RunningMesh();
        var api = await mesh.AddAsync("east", publishes: false);
        api.Faults["list pods"] = new Problem("MT3007", "east", "It was read.", "");
        var report = await mesh.VerifyAsync();

        Assert.That((report.Live!.Istiods.Count, report.Live.Matrix.Pairs.Count), Is.EqualTo((0, 0)));
        Assert.That(report.Live.Matrix.Method, Does.StartWith("istiod has not run in any cluster yet"));
        Assert.That(report.Checks.Select(c => c.Id), Has.None.StartsWith("MT54"));
    }

    [Test]
    public async Task Each_revision_is_queried_and_the_worst_counts()
    {
        await using var mesh = new RunningMesh();
        await mesh.AddAsync("east");
        var old = CraftedCertificate.Root();
        await mesh.AddRevisionAsync("east", "canary", b => b with
        {
            Names = ["istiod-canary.istio-system.svc"], ServingCa = b.Ca, Ca = () => new CertificateAuthority(CraftedMesh.Files4(old, CraftedMesh.Intermediate(old, "east"))),
        });
        var report = await mesh.VerifyAsync();

        Assert.That(report.Live!.Istiods.Select(i => (i.Revision, i.Pod)), Is.EqualTo(new[] { ("", "istiod-east"), ("canary", "istiod-canary-east") }));
        Assert.That(report.Live.Matrix.Pairs.Single().Trusted, Is.False);
    }

    [Test]
    public async Task The_istiod_of_a_primary_issues_for_the_workloads_of_its_remotes([Values] bool hasRemoteSecret)
    {
        await using var mesh = new RunningMesh { Primaries = { ["west"] = "east" } };
        await mesh.AddAsync("east", b => b with { RemoteClusters = hasRemoteSecret ? ["west"] : [] });
        await mesh.AddAsync("west", runs: false);
        var report = await mesh.VerifyAsync();

        Assert.That(report.Live!.Istiods.Select(i => i.Cluster), Is.EqualTo(new[] { "east" }));
        Assert.That(report.Live.Matrix.Trusted, Is.EqualTo(hasRemoteSecret ? 4 : 2));
        Assert.That(Live(report).Select(f => f.Id), Is.EqualTo(hasRemoteSecret ? [] : new[] { "MT5404" }));
        if (!hasRemoteSecret) Assert.That(Live(report).Single().Message, Does.Contain("no remote secret with the key 'west'"));
    }

    [Test]
    public async Task Every_root_file_of_workloads_counts()
    {
        await using var mesh = new RunningMesh();
        var api = await mesh.AddAsync("east");
        api.ConfigMaps["shop/istio-ca-root-cert"] = CraftedMesh.Roots("shop", CraftedCertificate.Root().Pem);
        var report = await mesh.VerifyAsync();

        Assert.That(report.Live!.Matrix.Pairs.Single(), Has.Property("Trusted").EqualTo(false).And.Property("From").EqualTo("east"));
    }

    [Test]
    public async Task Every_form_shows_the_CA_of_istiod_beside_that_of_the_secret()
    {
        await using var mesh = new RunningMesh();
        var old = new CertificateAuthority(CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, "east")));
        await mesh.AddAsync("east", b => b with { Ca = () => old });
        var report = await mesh.VerifyAsync();
        var serial = report.Live!.Istiods.Single().SigningCa!.SerialNumber;
        using var console = new TestConsole();
        console.Profile.Width = 200;
        TableReport.Write(report, console);
        var plain = new StringWriter();
        PlainReport.Write(report, plain);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(console.Output, Does.Contain("Who trusts whom ").And.Contain("Who trusts whom now").And.Contain($"istiod of east  signs with O=Istio, CN=Intermediate CA, L=east, serial {serial}"));
            Assert.That(plain.ToString(), Does.Contain($"ISTIOD east revision=default pod=istiod-east sha256=").And.Contain($"serial={serial}").And.Contain("current=no note=It has not loaded the CA of the secret."));
            Assert.That(plain.ToString(), Does.Contain("LIVE east -> east trusted (path, handshake)\n").And.Contain("LIVE 1/1 Each istiod was asked for a workload certificate. 1 cluster pair: "));
            Assert.That(MarkdownReport.Render(report), Does.Contain("### Who trusts whom now").And.Contain($"| east | default | istiod-east | O=Istio, CN=Intermediate CA, L=east | `{serial}` | no | It has not loaded the CA of the secret. |"));
            Assert.That(JsonReport.Render(report), Does.Contain("\"live\": {").And.Contain("\"isCurrent\": false"));
        }
    }

    private static IEnumerable<Finding> Live(TrustReport report) => report.Findings.Where(f => f.Id.StartsWith("MT54", StringComparison.Ordinal));

    private static string Request()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        return new System.Security.Cryptography.X509Certificates.CertificateRequest("", key, System.Security.Cryptography.HashAlgorithmName.SHA256).CreateSigningRequestPem();
    }
}
