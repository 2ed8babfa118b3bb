using System.Text.Json;
using MeshTrust.Checks;
using MeshTrust.Reporting;
using MeshTrust.Tests.Checks;
using Spectre.Console.Testing;

namespace MeshTrust.Tests.Reporting;

[TestFixture]
internal sealed class PreflightReportFormsTests
{
    private static readonly PreflightReport Broken = PreflightReport.For((CraftedReading.Sound with { KindVersion = null }).With((HostSnapshot h) => h with { InotifyInstances = 128 }));

    [Test]
    public void Every_form_has_ids_measured_values_and_fixes([Values("table", "plain", "json")] string form) =>
        Assert.That(Render(form, Broken, all: false), Does.Contain("MT1101").And.Contain("MT2223").And.Contain("256").And.Contain("sysctl"));

    [Test]
    public void Rows_that_need_no_attention_are_shown_only_if_requested([Values("table", "plain")] string form)
    {
        Assert.That(Render(form, Broken, all: false), Does.Not.Contain("MT1104"));
        Assert.That(Render(form, Broken, all: true), Does.Contain("MT1104").And.Contain("80 GiB"));
    }

    [Test]
    public void A_suitable_machine_is_one_line([Values("table", "plain")] string form) =>
        Assert.That(Render(form, PreflightReport.For(CraftedReading.Sound), all: false).Trim(), Does.Not.Contain("MT").And.Contain("The run can continue."));

    [Test]
    public void The_verdict_says_that_nothing_was_started([Values("table", "plain", "json")] string form) =>
        Assert.That(Render(form, Broken, all: false), Does.Contain("Nothing was started: fix 1 error first."));

    [Test]
    public void Output_of_an_engine_cannot_forge_lines()
    {
        var report = PreflightReport.For(CraftedReading.Sound with { ClusterProblems = [new Problem("MT2303", "east\nRESULT",
            "[red]\u001b[31mIt\u202e is.",
            "None.")] });

        foreach (var form in (string[])["table", "plain"])
            Assert.That(Render(form, report, all: false), Does.Not.Contain("\u001b").And.Not.Contain("\u202e").And.Not.Match("(?m)^RESULT").And.Contain("[red]"));
    }

    [Test]
    public void The_json_is_one_document_with_its_version()
    {
        using var document = JsonDocument.Parse(Render("json", Broken, all: false));

        Assert.That(document.RootElement.GetProperty("schemaVersion").GetInt32(), Is.EqualTo(1));
        Assert.That(document.RootElement.GetProperty("rows").GetArrayLength(), Is.EqualTo(PreflightReport.Checks.Count));
        Assert.That(document.RootElement.GetProperty("rows").EnumerateArray().SelectMany(r => r.GetProperty("problems").EnumerateArray()).Select(p => p.GetProperty("id").GetString()), Does.Contain("MT2223"));
    }

    private static string Render(string form, PreflightReport report, bool all)
    {
        if (form == "json") return JsonReport.Render(report);
        if (form == "plain")
        {
            var text = new StringWriter();
            PlainReport.Write(report, text, all);
            return text.ToString();
        }

        using var console = new TestConsole();
        console.Profile.Width = 240;
        TableReport.Write(report, console, all);
        return console.Output;
    }
}
