using System.Text;
using System.Text.Json;
using MeshTrust.Checks;
using MeshTrust.Pki;
using MeshTrust.Reporting;
using MeshTrust.Settings;
using MeshTrust.Tests.Pki;
using MeshTrust.Tests.Verification;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Tests.Checks;

/// <summary>The rules over files, without a cluster.</summary>
internal sealed class LintTests
{
    private static readonly string[] OnlyOfSecrets = ["MT5023", "holds 11 roots", "key among the roots"];

    /// <summary>Verify and Lint share the rules, so each case of Verify is one of Lint.</summary>
    private static IEnumerable<TestCaseData> WrongsOfVerify() => CertificateChecksTests.Wrongs().Where(c => !OnlyOfSecrets.Any(c.ArgDisplayNames!.Contains));

    [TestCaseSource(nameof(WrongsOfVerify))]
    public void Reports_what_verify_reports(string id, Severity severity, CraftedMesh mesh)
    {
        ArgumentNullException.ThrowIfNull(mesh);
        var secret = mesh.Snapshot().Clusters[0].Live.Cacerts!.Data;
        var report = Lint([.. secret.Select(f => (f.Key, Encoding.ASCII.GetString(f.Value)))]);

        Assert.That(report.Problems.Where(f => f.Id == id && f.Severity == severity), Is.Not.Empty, string.Join('\n', report.Problems));
        if (severity == Severity.Warning) Assert.That(report.Errors, Is.Zero, string.Join('\n', report.Problems));
    }

    private static IEnumerable<TestCaseData> WrongLeaves()
    {
        yield return Leaf("no SPIFFE id", Severity.Warning, s => s with { Uris = [] });
        yield return Leaf("reject more than one", Severity.Error, s => s with { Uris = [.. s.Uris, "spiffe://cluster.local/ns/x/sa/y"] });
        yield return Leaf("is not of the form", Severity.Error, s => s with { Uris = ["spiffe://cluster.local/ns/a"] });
        yield return Leaf("another trust domain", Severity.Warning, s => s with { Uris = ["spiffe://td2/ns/a/sa/b"] });
        yield return Leaf("one end of mutual TLS", Severity.Error, s => s with { Purposes = [KeyPurposeID.id_kp_serverAuth] });
        yield return Leaf("digitalSignature", Severity.Error, s => s with { Usage = KeyUsage.KeyAgreement });
        yield return Leaf("but it is not a CA", Severity.Error, s => s with { Usage = KeyUsage.DigitalSignature | KeyUsage.KeyCertSign });

        static TestCaseData Leaf(string says, Severity severity, Func<CraftedSpec, CraftedSpec> change) => new TestCaseData(says, severity, change).SetArgDisplayNames(says);
    }

    [TestCaseSource(nameof(WrongLeaves))]
    public void Reports_what_is_wrong_with_the_certificate_of_a_workload(string says, Severity severity, Func<CraftedSpec, CraftedSpec> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var root = CraftedCertificate.Root();
        var ca = CraftedMesh.Intermediate(root, "east");
        var leaf = ca.Sign(change(new CraftedSpec { Subject = ["O=Istio"], Ca = false, Usage = KeyUsage.DigitalSignature, Uris = ["spiffe://cluster.local/ns/a/sa/b"], NotAfter = CraftedMesh.Now.AddDays(1) }));
        var problems = Lint(("leaf.pem", leaf.Pem + ca.Pem), ("root.pem", root.Pem)).Problems.ToList();

        Assert.That(problems.Select(p => (p.Id, p.Severity, p.Location)), Is.EqualTo(new[] { ("MT5027", severity, "leaf.pem") }), string.Join('\n', problems));
        Assert.That(problems[0].Message, Does.Contain(says));
    }

    [Test]
    public async Task A_store_created_by_MeshTrust_passes_with_its_workloads()
    {
        using var fixture = new StoreFixture();
        await fixture.RootAsync();
        await fixture.ClustersAsync("east", "west");
        await WorkloadCertIssuer.EnsureAsync(fixture.Store, fixture.Trust, new ClusterSpec { Name = ClusterName.Parse("east") }, new RunSpec { Workloads = [new("a", "b")] }, fixture.Time, default);
        var report = Read(fixture, fixture.Store.Location);

        Assert.That(report.Problems, Is.Empty);
        Assert.That((report.Rows.Count, report.ToFault(strict: true)), Is.EqualTo((13, (MeshTrustException?)null)));
        Assert.That(report.Verdict, Is.EqualTo("4 certificates in 13 files: 13 checks, 13 passed; 0 errors, 0 warnings."));

        File.Copy(fixture.PathOf("west/ca-key.pem"), fixture.PathOf("east/ca-key.pem"), overwrite: true);
        StoreFixture.SetMode(fixture.PathOf("workloads/east/a/b/key.pem"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var broken = Read(fixture, fixture.Store.Location).Problems.ToList();
        Assert.That(broken.Select(p => (p.Id, p.Location)), Does.Contain(("MT5003", "east/ca-key.pem")));
        if (!OperatingSystem.IsWindows()) Assert.That(broken.Single(p => p.Id == "MT5025").Message, Does.StartWith("workloads/east/a/b/key.pem is readable by group or others (0404)."));
    }

    [Test]
    public void A_single_file_is_enough_and_a_key_alone_is_compared_with_nothing()
    {
        var root = CraftedCertificate.Root();
        var single = Lint(("ca.pem", CraftedMesh.Intermediate(root, "east").Pem));
        Assert.That(single.Problems, Is.Empty);
        Assert.That(single.Rows.Where(r => r.Outcome == CheckOutcome.NotApplicable).Select(r => r.Id), Is.EqualTo(new[] { "MT5003", "MT5004", "MT5027" }), "what was not tested does not pass");
        Assert.That(Lint(("key.pem", root.Key.Pkcs8)).Problems, Is.Empty);
        Assert.That(Lint(("key.pem", root.Key.Pkcs8), ("other.pem", CraftedCertificate.Root().Pem)).Problems.Single().Id, Is.EqualTo("MT5003"));
    }

    [Test]
    public void Warnings_fail_only_if_strict()
    {
        var report = Lint(("ca.pem", CraftedCertificate.Root(new CraftedSpec { UsageCritical = false }).Pem));

        Assert.That((report.ToFault(strict: false), report.ToFault(strict: true)!.Stage), Is.EqualTo(((MeshTrustException?)null, Stage.Verification)));
        using var json = JsonDocument.Parse(JsonReport.Render(report));
        Assert.That((json.RootElement.GetProperty("errors").GetInt32(), json.RootElement.GetProperty("warnings").GetInt32()), Is.EqualTo((0, 1)));
    }

    private static LintReport Read(StoreFixture fixture, string path) => LintReport.For(LintReading.Read("mesh", "cluster.local", [path], fixture.Time.GetUtcNow()));

    private static LintReport Lint(params (string Name, string Text)[] files) => LintReport.For(new LintReading(
        "mesh", "cluster.local", [.. files.Select(f => PemFile.Parse(f.Name, Encoding.ASCII.GetBytes(f.Text)))], [], CraftedMesh.Now));
}
