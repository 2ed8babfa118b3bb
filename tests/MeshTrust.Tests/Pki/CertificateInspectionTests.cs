using System.Text.Json;
using MeshTrust.Pki;
using MeshTrust.Reporting;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;
using Spectre.Console;

namespace MeshTrust.Tests.Pki;

/// <summary>Inspect and NeedsRenewal on files.</summary>
internal sealed class CertificateInspectionTests
{
    private StoreFixture _fixture = null!;

    [SetUp]
    public void Begin() => _fixture = new StoreFixture();

    [TearDown]
    public void End() => _fixture?.Dispose();

    [Test]
    public async Task The_store_is_shown_as_a_tree_with_every_key_at_its_certificate()
    {
        await _fixture.RootAsync();
        await _fixture.ClustersAsync("east", "west");
        var inspection = Inspect(_fixture.Store.Location);
        var root = inspection.Trees.Single();

        Assert.That((root.Certificate.Subject, root.Files), Is.EqualTo(("O=Istio, CN=Root CA", new[] { "root-cert.pem", "east/cert-chain.pem", "east/root-cert.pem", "west/cert-chain.pem", "west/root-cert.pem" })));
        Assert.That(root.Issued.Select(c => c.Certificate.Subject), Is.EqualTo(new[] { "O=Istio, CN=Intermediate CA, L=east", "O=Istio, CN=Intermediate CA, L=west" }));
        Assert.That(inspection.Files.SelectMany(f => f.Keys.Select(k => (f.Path, k.Fits.Single()))), Is.EquivalentTo(new[]
        {
            ("root-key.pem", "O=Istio, CN=Root CA"), ("east/ca-key.pem", "O=Istio, CN=Intermediate CA, L=east"), ("west/ca-key.pem", "O=Istio, CN=Intermediate CA, L=west"),
        }));

        var lines = Plain(inspection);
        Assert.That(lines, Has.Some.Matches("^CHAIN O=Istio, CN=Root CA \\(root-cert.pem, ").And.Some.StartWith("CHAIN   O=Istio, CN=Intermediate CA, L=east (east/ca-cert.pem, east/cert-chain.pem)"));
        Assert.That(lines, Has.Some.Matches("^CERTIFICATE east/ca-cert.pem subject O=Istio, CN=Intermediate CA, L=east; issuer O=Istio, CN=Root CA; valid 2026-08-22T09:55:00Z to 2036-08-19T10:00:00Z \\(in 3649 days\\); ECDSA P-256, CA, path length 0; names istiod.istio-system.svc; serial [0-9a-f]{32}; SHA-256 [0-9a-f]{64}$"));
        Assert.That(lines, Has.Some.Matches("^KEY root-key.pem ECDSA P-256, id [0-9a-f]{40}: fits 'O=Istio, CN=Root CA'$"));
    }

    [Test]
    public async Task No_form_shows_a_key()
    {
        await _fixture.OneClusterAsync();
        var inspection = Inspect(_fixture.Store.Location);
        using var table = new StringWriter();
        InspectionText.Write(inspection, AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(table) }));
        var secrets = new[] { "root-key.pem", "east/ca-key.pem" }.SelectMany(f => CraftedKey.Lines(File.ReadAllBytes(_fixture.PathOf(f)))).ToList();

        foreach (var text in new[] { JsonReport.Render(inspection), string.Join('\n', Plain(inspection)), table.ToString() })
        {
            Assert.That(text, Does.Contain("Intermediate CA"));
            Assert.That(secrets.Where(line => text.Contains(line, StringComparison.Ordinal)), Is.Empty);
        }
    }

    [Test]
    public void Shows_what_does_not_match_or_parse()
    {
        var (root, other) = (CraftedCertificate.Root(), CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Istio", "CN=Other"] }));
        var ca = CraftedMesh.Intermediate(root, "east");
        var inspection = Inspect(Write("ca.pem", ca.Pem), Write("key.pem", other.Key.Pkcs8), Write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));

        var lines = Plain(inspection);
        Assert.That(lines, Has.Some.Contains("issuer O=Istio, CN=Root CA (not here)"));
        Assert.That(lines, Has.Some.StartsWith("KEY ").And.EndsWith("fits no certificate here"));
        Assert.That(lines, Has.Some.StartsWith("DEFECT ").And.Contains("not a valid certificate"));
    }

    [Test]
    public void CAs_that_signed_each_other_are_all_shown()
    {
        var (one, two) = (CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Istio", "CN=One"] }), CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Istio", "CN=Two"] }));
        var inspection = Inspect(Write("cross.pem", one.Sign(two.Spec).Pem + two.Sign(one.Spec).Pem));

        Assert.That(inspection.Trees.Single().Issued, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Has_a_JSON_form()
    {
        await _fixture.OneClusterAsync();
        using var json = JsonDocument.Parse(JsonReport.Render(Inspect(_fixture.PathOf("east/cert-chain.pem"))));
        var certificates = json.RootElement.GetProperty("files")[0].GetProperty("certificates");

        Assert.That(json.RootElement.GetProperty("schemaVersion").GetInt32(), Is.EqualTo(1));
        Assert.That(certificates[0].GetProperty("issuedBy").GetString(), Is.EqualTo(certificates[1].GetProperty("sha256").GetString()));
        Assert.That(certificates[0].GetProperty("pathLength").GetInt32(), Is.Zero);
    }

    /// <summary>A work directory may be named .meshtrust-prod; temporary files are not shown.</summary>
    [Test]
    public void The_names_of_parent_directories_do_not_matter()
    {
        var directory = Directory.CreateDirectory(Path.Combine(_fixture.Temporary, ".meshtrust-prod", "certs")).FullName;
        foreach (var name in new[] { "a.pem", ".meshtrust-b.pem-1.tmp", "c.pem.20261130T045533120Z.old", "d.txt", "e.crt" }) File.WriteAllText(Path.Combine(directory, name), CraftedCertificate.Root().Pem);

        Assert.That(Inspect(directory).Files.Select(f => f.Path), Is.EqualTo(new[] { "a.pem", "e.crt" }));
    }

    [Test]
    public void Names_a_missing_file() =>
        Assert.That(() => Inspect(Path.Combine(_fixture.Temporary, "nothing.pem"), _fixture.Temporary), Throws.TypeOf<MeshTrustException>()
            .With.Message.Contains("MT5120").And.Message.Contains("nothing.pem").And.Message.Contains("has no PEM file"));

    [TestCase("30d", 0, 1)]
    [TestCase("30d", 3625, 0)]
    [TestCase("50%", 1800, 1)]
    [TestCase("50%", 1850, 0)]
    [TestCase("30d", 4000, 0)]
    public async Task A_store_is_due_for_renewal_if_any_CA_is(string threshold, int days, int code)
    {
        await _fixture.OneClusterAsync();
        _fixture.Time.Advance(TimeSpan.FromDays(days));
        var report = Renewal(threshold);

        Assert.That((report.ExitCode, report.Certificates.Count), Is.EqualTo((code, 2)));
        Assert.That(report.ToLines().Last(), Does.StartWith(code == 0 ? "RESULT renewal is due" : "RESULT nothing is due"));
        using var json = JsonDocument.Parse(JsonReport.Render(report));
        Assert.That(json.RootElement.GetProperty("exitCode").GetInt32(), Is.EqualTo(code));
    }

    /// <summary>With 30 days, a certificate of one day would always be due: the last third counts.</summary>
    [TestCase(15, 1)]
    [TestCase(17, 0)]
    public void A_short_lived_certificate_is_due_for_renewal_in_its_last_third(int hours, int code)
    {
        var now = _fixture.Time.GetUtcNow();
        var leaf = CraftedCertificate.Root(new CraftedSpec { Ca = false, NotBefore = now, NotAfter = now.AddDays(1), Uris = ["spiffe://td/ns/a/sa/b"] });
        _fixture.Time.Advance(TimeSpan.FromHours(hours));

        Assert.That(Renewal("30d", Write("leaf.pem", leaf.Pem)).ExitCode, Is.EqualTo(code));
    }

    [Test]
    public async Task An_undecidable_state_never_counts_as_not_due()
    {
        await _fixture.OneClusterAsync();
        var (missing, chain) = (Path.Combine(_fixture.Temporary, "x.pem"), _fixture.PathOf("east/cert-chain.pem"));

        Assert.That(Renewal("30d", missing, chain).ExitCode, Is.EqualTo(2));
        Assert.That(Renewal("30d", Write("bad.pem", "nothing")).ExitCode, Is.EqualTo(255));
        Assert.That(Renewal("30d", _fixture.PathOf("root-key.pem")).ExitCode, Is.EqualTo(255));
        Assert.That(Renewal("30d", chain, Write("cut.pem", File.ReadAllText(chain)[..^40])).ExitCode, Is.EqualTo(255));
        Assert.That(RenewalReport.Read([], missing, RenewalThreshold.Default, default).ExitCode, Is.EqualTo(2));
    }

    private RenewalReport Renewal(string threshold, params string[] files)
    {
        Assert.That(RenewalThreshold.TryParse(threshold, out var parsed));
        return RenewalReport.Read(files, _fixture.Store.Location, parsed!, _fixture.Time.GetUtcNow());
    }

    private CertificateInspection Inspect(params string[] paths) => CertificateInspection.Of(PemFiles.Read(paths), _fixture.Time.GetUtcNow());

    private static List<string> Plain(CertificateInspection inspection)
    {
        using var text = new StringWriter();
        InspectionText.Write(inspection, text);
        return [.. text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_fixture.Temporary, name);
        File.WriteAllText(path, text);
        return path;
    }
}
