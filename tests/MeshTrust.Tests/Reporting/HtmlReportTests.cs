using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using MeshTrust.Checks;
using MeshTrust.IO;
using MeshTrust.Reporting;

namespace MeshTrust.Tests.Reporting;

/// <summary>The page as markup; MeshTrust.LiveTests shows it in a browser.</summary>
[TestFixture]
internal sealed class HtmlReportTests
{
    private static readonly Dictionary<string, Func<TrustReport>> Reports = new()
    {
        ["sound"] = CraftedReport.Sound,
        ["troubled"] = CraftedReport.Troubled,
        ["alone"] = CraftedReport.Alone,
        ["lacking"] = CraftedReport.Lacking,
        ["twelve"] = CraftedReport.Twelve,
        ["large"] = () => CraftedReport.Large(),
        ["hostile"] = CraftedReport.Hostile,
    };

    private static IEnumerable<string> Names => Reports.Keys;

    [TestCaseSource(nameof(Names))]
    public void Is_well_formed_and_its_parts_have_names(string name)
    {
        var all = Parse(Reports[name]()).Descendants().ToList();
        var ids = all.Attributes("id").Select(a => a.Value).ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(all[0].Attribute("lang")?.Value, Is.EqualTo("en"));
            Assert.That(ids, Is.Unique);
            Assert.That(all.Attributes().Where(a => a.Name == "aria-labelledby" || a.Name == "aria-describedby").Select(a => a.Value), Is.SubsetOf(ids));
            Assert.That(all.Where(e => e.Name == "table" && e.Elements().First().Name != "caption"), Is.Empty);
            Assert.That(all.Where(e => e.Name == "th" && e.Attribute("scope") is null), Is.Empty);
            Assert.That(all.Where(e => e.Name == "svg" && e.Attribute("aria-hidden") is null && (e.Element("title") is null || e.Element("desc") is null)), Is.Empty);
            Assert.That(HeadingLevels(all), Has.None.GreaterThan(1), "a heading is at most one level below the one before");
            Assert.That(all.Count(e => e.Name == "h1"), Is.EqualTo(1));
        }
    }

    [TestCaseSource(nameof(Names))]
    public void Loads_and_runs_nothing(string name)
    {
        var all = Parse(Reports[name]()).Descendants().ToList();
        string[] loading = ["script", "img", "iframe", "object", "embed", "form", "base", "use", "image"];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(all.Where(e => loading.Contains(e.Name.LocalName)), Is.Empty);
            Assert.That(all.Attributes().Where(a => a.Name.LocalName.StartsWith("on", StringComparison.Ordinal) || a.Name == "src"), Is.Empty);
            Assert.That(all.Attributes("href").Select(a => a.Value).Where(a => a != "data:,"), Is.EqualTo(new[] { Text.Docs + "/reading-the-report.md" }));
            Assert.That(all.Single(e => e.Name == "style").Value, Does.Not.Contain("url(").And.Not.Contain("@import"));
            Assert.That(all.Single(e => e.Attribute("http-equiv") is not null).Attribute("content")!.Value, Does.StartWith("default-src 'none';"));
        }
    }

    [Test]
    public void Text_from_a_cluster_stays_text()
    {
        var page = HtmlReport.Render(CraftedReport.Hostile());
        var texts = Parse(CraftedReport.Hostile()).DescendantNodes().OfType<XText>().Select(t => t.Value).Where(t => t.Contains("script", StringComparison.Ordinal)).ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(page, Does.Not.Contain("<script").And.Not.Contain("<img").And.Not.Contain('\u202E').And.Not.Contain('\u2028').And.Not.Contain('\r'));
            Assert.That(texts, Has.Count.GreaterThan(10));
            Assert.That(texts, Has.All.Contain("<script>alert('x')</script>").Or.Contain("…"), "the reader sees what the name really is");
        }
    }

    [Test]
    public void Shows_both_matrices_with_words()
    {
        var page = Parse(CraftedReport.Troubled());
        var cells = page.Descendants("table").Where(t => (string?)t.Attribute("class") == "matrix")
            .Select(t => string.Join(' ', t.Descendants("td").Where(d => d.Attribute("class") is not null).Select(d => d.Elements().Last().Value)));
        Assert.That(cells, Is.EqualTo(new[]
        {
            "trusted trusted trusted trusted trusted trusted not trusted not trusted trusted",
            "trusted trusted trusted trusted trusted trusted not tested not tested not tested",
        }));
        Assert.That(page.Root!.Value, Does.Contain("no, a reload is pending"));
    }

    [Test]
    public void Says_why_the_running_mesh_is_not_shown()
    {
        Assert.That(Parse(CraftedReport.Alone()).Root!.Value, Does.Contain("Not looked at").And.Contain("One cluster: its own workloads are trusted."));
        Assert.That(Parse(CraftedReport.Lacking()).Root!.Value, Does.Contain("No istiod runs in any cluster."));
    }

    [Test]
    public void The_diagram_connects_every_two_clusters_and_names_one_way_trust()
    {
        var titles = Drawing(CraftedReport.Troubled()).Descendants("title").Select(t => t.Value).ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(titles, Does.Contain("east and west: trust each other"));
            Assert.That(titles, Does.Contain("west and north: only the first is trusted in the second"));
            Assert.That(titles, Does.Contain("north signs under root B").And.Contain("north trusts root A"));
        }
    }

    [Test]
    public void Two_hundred_clusters_are_grouped_and_stay_small()
    {
        var report = CraftedReport.Large();
        var page = HtmlReport.Render(report);
        var titles = Drawing(report).Descendants("title").Select(t => t.Value).ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(page, Has.Length.LessThan(300_000));
            Assert.That(titles.Count(t => t.Contains("own workloads", StringComparison.Ordinal)), Is.EqualTo(7), "four networks and the three broken clusters");
            Assert.That(titles, Has.One.StartsWith("cluster017: own workloads"));
            Assert.That(Parse(report).Descendants("table").Select(t => (string?)t.Attribute("class")), Has.None.StartsWith("matrix"));
            Assert.That(Parse(report).Root!.Value, Does.Contain("and 193 more"));
        }
    }

    [Test]
    public void A_network_for_each_cluster_is_not_drawn_beyond_what_can_be_read()
    {
        var report = CraftedReport.Large();
        report = report with { Clusters = [.. report.Clusters.Select(c => c with { Network = $"network-of-{c.Name}" })] };

        Assert.That(Drawing(report).Descendants("title").Count(t => t.Value.Contains("own workloads", StringComparison.Ordinal)), Is.EqualTo(12));
        Assert.That(Parse(report).Root!.Value, Does.Contain("188 more clusters are in smaller groups"));
    }

    [Test]
    public void The_page_matches_the_golden_file() =>
        Golden.CompareText("tests/MeshTrust.Tests/Reporting/report.golden.html", Regex.Replace(HtmlReport.Render(CraftedReport.Troubled()), "(?s)<style>.*</style>", "<style>report.css</style>"));

    private static XElement Drawing(TrustReport report) => Parse(report).Descendants("svg").Single(s => (string?)s.Attribute("class") == "mesh");

    /// <summary>How many levels each heading is below the previous one.</summary>
    private static IEnumerable<int> HeadingLevels(IEnumerable<XElement> all)
    {
        var before = 0;
        foreach (var level in all.Where(e => Regex.IsMatch(e.Name.LocalName, "^h[1-6]$")).Select(e => e.Name.LocalName[1] - '0'))
        {
            yield return level - before;
            before = level;
        }
    }

    /// <summary>The page is also XML, which proves that all its elements are closed and nested.</summary>
    private static XDocument Parse(TrustReport report)
    {
        using var reader = XmlReader.Create(new StringReader(HtmlReport.Render(report)), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader);
    }
}
