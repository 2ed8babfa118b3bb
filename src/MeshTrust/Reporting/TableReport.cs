using MeshTrust.Verification;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MeshTrust.Reporting;

/// <summary>The report for a person at a terminal: which clusters, which root, who trusts whom, what is wrong and what to do.</summary>
public static class TableReport
{
    private const int LongestFindings = 40;
    private static readonly Style Good = new(Color.Green);
    private static readonly Style Bad = new(Color.Red, decoration: Decoration.Bold);
    private static readonly Style Careful = new(Color.Yellow);
    private static readonly Style Quiet = new(Color.Grey);
    private static readonly Style Strong = new(decoration: Decoration.Bold);

    /// <summary>Writes the report to the console, in its width and with its colours.</summary>
    public static void Write(TrustReport report, IAnsiConsole console)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(console);
        console.WriteLine();
        Line(console, ($"Trust of {report.Mesh}", Strong), ($"  {ReportText.Count(report.Clusters.Count, "cluster")}, read {ReportText.Time(report.At)}", Quiet));
        console.WriteLine();
        var roots = ReportText.Roots(report);
        WriteRoots(console, report, roots);
        console.Write(Clusters(console, report, roots));
        WriteMatrix(console, report);
        WriteFindings(console, report);
        WriteDrift(console, report);
        WriteClosing(console, report);
    }

    private static void WriteRoots(IAnsiConsole console, TrustReport report, IReadOnlyList<(string Label, CertificateSummary Root)> roots)
    {
        if (roots.Count == 0) Line(console, ("No cluster holds a root.", Bad));
        var grid = Columns(3);
        foreach (var (label, root) in roots)
        {
            var style = root.NotAfter < report.At ? Bad : roots.Count > 1 ? Careful : Good;
            grid.AddRow(
                Cell($"Root {label}", style),
                Cell(ReportText.Short(root.Sha256), style),
                Cell($"{root.Subject}, expires {ReportText.Day(root.NotAfter)} ({ReportText.Left(root.NotAfter, report.At)})", Style.Plain));
        }

        console.Write(grid);
    }

    private static Table Clusters(IAnsiConsole console, TrustReport report, IReadOnlyList<(string Label, CertificateSummary Root)> roots)
    {
        var wide = console.Profile.Width >= 110;
        var table = new Table { Border = console.Profile.Capabilities.Unicode ? TableBorder.Rounded : TableBorder.Ascii };
        table.AddColumns(new TableColumn("Cluster"), new TableColumn("Root").NoWrap(), new TableColumn("Signing CA"), new TableColumn("Expires").NoWrap(), new TableColumn("Secret").NoWrap());
        if (wide) table.AddColumn(new TableColumn("API server"));
        foreach (var cluster in report.Clusters)
        {
            var labels = string.Join("+", cluster.Roots.Select(r => roots.First(l => l.Root.Sha256 == r.Sha256).Label));
            var ca = cluster.Intermediate;
            List<IRenderable> cells =
            [
                Cell(cluster.Name, Strong),
                labels.Length == 0 ? Cell("none", Bad) : Cell(labels, Style.Plain),
                ca is null ? Cell("none", Bad) : Cell(ca.Subject, Style.Plain),
                ca is null ? Cell("", Style.Plain) : Cell(ReportText.Day(ca.NotAfter), ca.NotAfter < report.At ? Bad : Style.Plain),
                Cell(SecretOf(cluster, report.At), Quiet),
            ];
            if (wide) cells.Add(Cell(cluster.Server ?? "unknown", Quiet));
            table.AddRow(cells);
        }

        return table;
    }

    private static string SecretOf(ClusterReport cluster, DateTimeOffset now) =>
        cluster.SecretCreatedAt is { } created ? $"{ReportText.Span(now - created)} old"
        : cluster.SecretVersion is { } version ? $"version {version}"
        : "none";

    private static void WriteMatrix(IAnsiConsole console, TrustReport report)
    {
        var clusters = report.Clusters;
        var room = clusters.Sum(c => c.Name.Length + 3) + clusters.Select(c => c.Name.Length).DefaultIfEmpty().Max() + 4;
        if (clusters.Count is > 0 and <= ReportText.LargestMatrix && report.Matrix.Pairs.Count > 0 && room <= console.Profile.Width)
        {
            Line(console, ("Who trusts whom", Strong), (" (a workload of the row, seen from the column)", Quiet));
            var grid = Columns(clusters.Count + 1);
            grid.AddRow([Cell("", Style.Plain), .. clusters.Select(c => Cell(c.Name, Quiet))]);
            foreach (var row in report.Matrix.Pairs.GroupBy(p => p.From))
            {
                grid.AddRow([Cell($"  {row.Key}", Strong), .. row.Select(p => Mark(console, p.Trusted))]);
            }

            console.Write(grid);
        }
        else
        {
            Line(console, ("Who trusts whom", Strong), ($" {report.Matrix.Trusted} of {report.Matrix.Pairs.Count} ordered pairs are trusted", Quiet));
            foreach (var row in ReportText.BrokenRows(report.Matrix).Take(LongestFindings)) Line(console, ($"  {row}", Bad));
        }

        Line(console, (report.Matrix.Method, Quiet));
        console.WriteLine();
    }

    private static void WriteFindings(IAnsiConsole console, TrustReport report)
    {
        var findings = report.Findings.OrderByDescending(f => f.Severity).ToList();
        if (findings.Count == 0) return;
        var arrow = console.Profile.Capabilities.Unicode ? "→" : "->";
        var grid = Columns(2);
        foreach (var finding in findings.Take(LongestFindings))
        {
            var style = finding.Severity == Severity.Error ? Bad : Careful;
            var text = new Paragraph();
            text.Append($"{ReportText.OneLine(finding.ToProblem().Location)}: ", Strong);
            text.Append(ReportText.OneLine(finding.Message), Style.Plain);
            text.Append($"\n{arrow} {ReportText.OneLine(finding.Hint)}", Quiet);
            grid.AddRow(Cell($"{finding.Id} {(finding.Severity == Severity.Error ? "error" : "warning")}", style), text);
        }

        console.Write(grid);
        if (findings.Count > LongestFindings) Line(console, ($"… and {findings.Count - LongestFindings} more: --output=plain or json shows all.", Careful));
        console.WriteLine();
    }

    private static void WriteDrift(IAnsiConsole console, TrustReport report)
    {
        var drift = report.Drift.Where(d => d.Same is not true).GroupBy(d => (d.Cluster, d.Detail)).ToList();
        if (drift.Count == 0) return;
        foreach (var files in drift.Take(LongestFindings)) Line(console, ($"{files.Key.Cluster}/{string.Join(", ", files.Select(f => f.File))}: ", Strong), (files.Key.Detail ?? "", Careful));
        console.WriteLine();
    }

    private static void WriteClosing(IAnsiConsole console, TrustReport report)
    {
        var drift = report.Drift.Count(d => d.Same is not true);
        var files = report.TrustStore is null ? "" : drift == 0 ? "; the files are the same as in the clusters" : $"; {ReportText.Count(drift, "file")} differ from the clusters";
        Line(console, ($"{ReportText.CheckCounts(report)}{files}", Quiet));
        var style = report.Outcome switch
        {
            TrustOutcome.Passed => Good,
            TrustOutcome.PassedWithWarnings => Careful,
            _ => Bad,
        };
        Line(console, (ReportText.Verdict(report), style));
    }

    private static Grid Columns(int count)
    {
        var grid = new Grid();
        for (var i = 0; i < count; i++) grid.AddColumn(new GridColumn { NoWrap = i < count - 1, Padding = new Padding(0, 0, 2, 0) });
        return grid;
    }

    private static Text Mark(IAnsiConsole console, bool? trusted) => trusted switch
    {
        true => Cell(console.Profile.Capabilities.Unicode ? "✓" : "yes", Good),
        false => Cell(console.Profile.Capabilities.Unicode ? "✗" : "NO", Bad),
        null => Cell("?", Careful),
    };

    // Text, not markup: what a cluster holds must not be able to style the report.
    private static Text Cell(string text, Style style) => new(ReportText.OneLine(text), style);

    private static void Line(IAnsiConsole console, params ReadOnlySpan<(string Text, Style Style)> parts)
    {
        var paragraph = new Paragraph();
        foreach (var (text, style) in parts) paragraph.Append(ReportText.OneLine(text), style);
        console.Write(paragraph);
        console.WriteLine();
    }
}
