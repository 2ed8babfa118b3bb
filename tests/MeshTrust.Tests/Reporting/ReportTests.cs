using System.Text.Json;
using System.Xml.Linq;
using MeshTrust.Checks;
using MeshTrust.Reporting;
using MeshTrust.Tests.Verification;
using MeshTrust.Verification;
using Spectre.Console.Testing;

namespace MeshTrust.Tests.Reporting;

[TestFixture]
internal sealed class ReportTests
{
    private static readonly Dictionary<string, TrustSnapshot> Snapshots = new()
    {
        ["sound"] = CraftedMesh.Sound("east", "west").Snapshot(),
        ["broken"] = Broken(),
    };

    private static readonly Dictionary<string, Func<TrustReport, string>> Forms = new()
    {
        ["table"] = report =>
        {
            using var console = new TestConsole();
            console.Profile.Width = 100;
            TableReport.Write(report, console);
            return console.Output;
        },
        ["plain"] = report =>
        {
            var text = new StringWriter();
            PlainReport.Write(report, text);
            return text.ToString();
        },
        ["json"] = JsonReport.Render,
        ["junit"] = JUnitReport.Render,
        ["markdown"] = MarkdownReport.Render,
        ["html"] = HtmlReport.Render,
    };

    [Test]
    public void No_form_shows_a_line_of_any_key([Values("sound", "broken")] string which, [Values("table", "plain", "json", "junit", "markdown", "html")] string form)
    {
        var snapshot = Snapshots[which];
        var text = Forms[form](TrustInspection.Inspect(snapshot));
        var lines = snapshot.Clusters.SelectMany(c => System.Text.Encoding.UTF8.GetString(c.Live.Cacerts!.Data["ca-key.pem"]).Split('\n')).Where(line => line.Length > 20 && line[0] != '-').ToList();

        Assert.That(lines, Is.Not.Empty);
        Assert.That(lines.Where(line => text.Contains(line, StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Every_form_names_the_clusters([Values("table", "plain", "json", "junit", "markdown", "html")] string form) =>
        Assert.That(Forms[form](TrustInspection.Inspect(Snapshots["sound"])), Does.Contain("east").And.Contain("west"));

    [Test]
    public void Every_form_reports_what_is_wrong([Values("table", "plain", "json", "junit", "markdown", "html")] string form) =>
        Assert.That(Forms[form](TrustInspection.Inspect(Snapshots["broken"])), Does.Contain("MT5001").And.Contain("MT5002"));

    [Test]
    public void No_form_claims_trust_between_clusters_for_a_single_cluster([Values("table", "plain", "json", "junit", "markdown", "html")] string form)
    {
        const string Said = "One cluster: its workloads trust each other";
        var alone = Forms[form](TrustInspection.Inspect(CraftedMesh.Sound("east").Snapshot())).ReplaceLineEndings(" ");

        Assert.That(alone, Does.Contain(Said).And.Contain("Add a second cluster").And.Not.Contain("All 1 of 1"));
        Assert.That(Forms[form](TrustInspection.Inspect(Snapshots["sound"])), Does.Not.Contain(Said));
    }

    [Test]
    public void The_junit_counts_are_those_of_its_cases()
    {
        var suite = XDocument.Parse(Forms["junit"](TrustInspection.Inspect(Snapshots["broken"]))).Descendants("testsuite").First();

        Assert.That((int)suite.Attribute("tests")!, Is.EqualTo(suite.Elements("testcase").Count()));
        Assert.That((int)suite.Attribute("failures")!, Is.EqualTo(suite.Elements("testcase").Count(c => c.Element("failure") is not null)).And.GreaterThan(0));
    }

    [Test]
    public void The_json_is_one_document_with_its_version()
    {
        using var document = JsonDocument.Parse(Forms["json"](TrustInspection.Inspect(Snapshots["broken"])));

        Assert.That(document.RootElement.GetProperty("schemaVersion").ToString(), Is.Not.Empty);
    }

    [Test]
    public void Every_form_for_people_reports_which_files_differ([Values("table", "plain", "json", "markdown", "html")] string form)
    {
        var mesh = CraftedMesh.Sound("east", "west");
        string Reported(byte[]? changed)
        {
            var files = from c in mesh.Snapshot().Clusters
                        from d in c.Live.Cacerts!.Data
                        let path = $"{c.Name}/{d.Key}"
                        select new StoredFile { Path = path, Content = path == "west/ca-cert.pem" && changed is not null ? changed : d.Value };
            mesh.Files = new TrustStoreSnapshot { Directory = "certs", Files = [.. files] };
            return Forms[form](TrustInspection.Inspect(mesh.Snapshot()));
        }

        const string Said = "trust store differ";
        Assert.That(Reported(null), Does.Not.Contain(Said));
        Assert.That(Reported("other"u8.ToArray()).ReplaceLineEndings(" "), Does.Contain(Said).And.Contain("ca-cert.pem").And.Contain("west"));
    }

    [Test]
    public void The_report_has_the_network_the_chain_and_the_lifetimes_of_a_cluster()
    {
        var mesh = CraftedMesh.Sound("east", "west");
        mesh.Networks["west"] = "network2";
        var clusters = TrustInspection.Inspect(mesh.Snapshot()).Clusters;

        Assert.That(clusters.Select(c => c.Network), Is.EqualTo(new[] { null, "network2" }));
        Assert.That(clusters[0].Chain, Is.EqualTo(clusters[0].Roots).And.Count.EqualTo(1));
        Assert.That(clusters[0].Intermediate!.NotBefore, Is.LessThan(CraftedMesh.Now));
    }

    [Test]
    public void The_columns_of_the_table_are_separated() =>
        Assert.That(Forms["table"](TrustInspection.Inspect(Snapshots["sound"])), Does.Contain("east  west"));

    private static TrustSnapshot Broken()
    {
        var other = CraftedCertificate.Root();
        return CraftedMesh.Sound("east").Add("west", CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, "west"))).Snapshot();
    }
}
