using MeshTrust.Checks;
using MeshTrust.Reporting;
using MeshTrust.Settings;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Verification;
using global::Cake.Frosting.MeshTrust;

namespace MeshTrust.Tests.Cake;

[TestFixture, NonParallelizable]
public sealed class ReportDeliveryTests
{
    private static readonly TrustReport Report = TrustInspection.Inspect(CraftedMesh.Sound("east", "west").Snapshot());
    private static readonly TrustReport Broken = TrustInspection.Inspect(CraftedMesh.SoundUnder(CraftedCertificate.Root(), "east").Add("west", null).Snapshot());
    private ScratchDirectory _scratch = null!;

    [SetUp]
    public void Begin() => _scratch = new ScratchDirectory();

    [TearDown]
    public void End() => _scratch?.Dispose();

    [Test]
    public void Leaves_four_files_and_appends_to_the_summary_of_the_step()
    {
        var summary = _scratch.Write("step", "before\n");
        Assert.That(Deliver(_scratch.File("artifacts"), summary), Does.Contain("2 clusters"));
        Assert.That(Directory.EnumerateFiles(_scratch.File("artifacts")).Select(Path.GetFileName), Is.EquivalentTo(new[] { "junit_meshtrust.xml", "summary.json", "summary.md", "report.html" }));
        Assert.That(File.ReadAllText(summary), Is.EqualTo("before\n" + File.ReadAllText(_scratch.File("artifacts/summary.md"))));
        Assert.That(File.ReadAllText(_scratch.File("artifacts/summary.json")), Is.EqualTo(JsonReport.Render(Report)));
        Assert.That(File.ReadAllText(_scratch.File("artifacts/report.html")), Is.EqualTo(HtmlReport.Render(Report)));
    }

    [Test]
    public void Shows_the_report_and_fails_if_a_file_cannot_be_written()
    {
        var shown = Refused(_scratch.Write("file", "") + "/artifacts", null, out var fault);
        Assert.That(shown, Does.Contain("2 clusters"));
        Assert.That(fault.Problems.Single().ToString(), Does.StartWith($"MT1003 {_scratch.File("file")}: "));

        Refused(_scratch.File("artifacts"), _scratch.Location, out fault);
        Assert.That(fault.Problems.Single().Location, Is.EqualTo(_scratch.Location), "a directory is in the place of the step summary");
    }

    /// <summary>The first failure decides: a pipeline must not mistake broken trust for a full disk.</summary>
    [Test]
    public void Reports_the_findings_first_if_the_files_cannot_be_written_either()
    {
        var shown = Refused(_scratch.Write("file", "") + "/artifacts", null, out var fault, Broken);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(shown, Does.Contain("2 clusters"));
            Assert.That(fault.Stage, Is.EqualTo(Stage.Verification));
            Assert.That(fault.Problems.Select(p => p.Id), Is.EqualTo(Broken.ToFault()!.Problems.Select(p => p.Id).Append("MT1003")));
        }
    }

    [Test]
    public void Fails_with_the_findings_if_the_files_are_written()
    {
        Refused(_scratch.File("artifacts"), null, out var fault, Broken);
        Assert.That(fault.Problems, Is.EqualTo(Broken.ToFault()!.Problems));
        Assert.That(File.ReadAllText(_scratch.File("artifacts/summary.json")), Is.EqualTo(JsonReport.Render(Broken)));
    }

    [Test]
    public void Writes_the_other_files_if_one_cannot_be_written()
    {
        Directory.CreateDirectory(_scratch.File("artifacts/summary.json"));
        Refused(_scratch.File("artifacts"), null, out var fault);
        Assert.That(fault.Problems.Single().Location, Is.EqualTo(_scratch.File("artifacts/summary.json")));
        Assert.That(File.Exists(_scratch.File("artifacts/summary.md")), Is.True);
    }

    private string Refused(string artifacts, string? summary, out MeshTrustException fault, TrustReport? report = null)
    {
        var shown = "";
        fault = Assert.Throws<MeshTrustException>(() => Deliver(artifacts, summary, text => shown = text, report))!;
        return shown;
    }

    private string Deliver(string artifacts, string? summary, Action<string>? shown = null, TrustReport? report = null)
    {
        var before = Console.Out;
        using var text = new StringWriter();
        Console.SetOut(text);
        try
        {
            using var output = StandardOutput.AsItIs();
            var variables = summary is null ? [] : new Dictionary<string, string> { ["GITHUB_STEP_SUMMARY"] = summary };
            new ReportDelivery(output).Deliver(new FakeContext(_scratch.Location, null, variables).Context, report ?? Report, new RunSpec { ArtifactsDirectory = artifacts, Output = OutputFormat.Plain });
            return text.ToString();
        }
        finally
        {
            Console.SetOut(before);
            shown?.Invoke(text.ToString());
        }
    }
}
