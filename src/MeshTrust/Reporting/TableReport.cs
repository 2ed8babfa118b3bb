using MeshTrust.Checks;
using MeshTrust.Verification;
using Spectre.Console;
using Spectre.Console.Rendering;
using static MeshTrust.IO.Text;

namespace MeshTrust.Reporting;

/// <summary>The reports for a terminal, using its width and colours.</summary>
internal static class TableReport
{
    private const int LongestFindings = 40;
    private static readonly Style Good = new(Color.Green);
    private static readonly Style Bad = new(Color.Red, decoration: Decoration.Bold);
    private static readonly Style Careful = new(Color.Yellow);
    private static readonly Style Quiet = new(Color.Grey);
    private static readonly Style Strong = new(decoration: Decoration.Bold);

    /// <summary>Writes the clusters, their roots, who trusts whom, the problems and how to fix them.</summary>
    public static void Write(TrustReport report, IAnsiConsole console)
    {
        console.WriteLine();
        Line(console, ($"Trust of {report.Mesh}", Strong),
            ($"  {Count(report.Clusters.Count, "cluster")}, read {Time(report.At)}", Quiet));
        console.WriteLine();
        var roots = ReportText.Roots(report);
        WriteRoots(console, report, roots);
        console.Write(Clusters(console, report, roots));
        WriteMatrix(console, report, report.Matrix, "Who trusts whom");
        if (report.Live is { } live) WriteLive(console, report, live);
        WriteFindings(console, report);
        WriteDrift(console, report);
        WriteClosing(console, report);
    }

    /// <summary>Writes the result of the machine checks; with <paramref name="all"/> also the rows that need no attention.</summary>
    public static void Write(ChecksReport report, IAnsiConsole console, bool all)
    {
        var rows = ReportText.Rows(report, all);
        if (rows.Count > 0)
        {
            console.WriteLine();
            console.Write(Rows(console, rows));
        }

        Line(console, (report.Verdict, report.Errors > 0 ? Bad : report.Warnings > 0 ? Careful : Good));
    }

    private static Table Rows(IAnsiConsole console, IReadOnlyList<CheckReport> rows)
    {
        var table = Framed(console);
        table.AddColumns(new TableColumn("Id").NoWrap(), new TableColumn("").NoWrap(), new TableColumn("Result and fix"));
        foreach (var row in rows)
        {
            if (row.Findings.Count == 0)
            {
                var style = row.Outcome switch
                {
                    CheckOutcome.Passed => Good,
                    CheckOutcome.CouldNotCheck => Careful,
                    _ => Quiet,
                };
                var measured = new Paragraph().Append($"{OneLine(row.Title)}: ", Strong).Append(OneLine(row.Note), Quiet);
                table.AddRow(Cell(row.Id, Style.Plain), Cell(ReportText.Word(row.Outcome), style), measured);
            }

            foreach (var finding in row.Findings)
            {
                table.AddRow(Cell(finding.Id, StyleOf(finding)), Cell(ReportText.Word(finding.Severity), StyleOf(finding)),
                    Describe(console, finding));
            }
        }

        return table;
    }

    private static void WriteRoots(IAnsiConsole console, TrustReport report, IReadOnlyList<LabelledRoot> roots)
    {
        if (roots.Count == 0) Line(console, ("No cluster has a root.", Bad));
        var grid = Columns(3);
        foreach (var (label, root) in roots)
        {
            var style = root.NotAfter < report.At ? Bad : roots.Count > 1 ? Careful : Good;
            var expiry = $"{ReportText.Day(root.NotAfter)} ({ReportText.Left(root.NotAfter, report.At)})";
            grid.AddRow(Cell($"Root {label}", style), Cell(ReportText.Short(root.Sha256), style),
                Cell($"{root.Subject}, expires {expiry}", Style.Plain));
        }

        console.Write(grid);
    }

    private static Table Clusters(IAnsiConsole console, TrustReport report, IReadOnlyList<LabelledRoot> roots)
    {
        var isWide = console.Profile.Width >= 110;
        var table = Framed(console);
        table.AddColumns(new TableColumn("Cluster"), new TableColumn("Root").NoWrap(), new TableColumn("Signing CA"),
            new TableColumn("Expires").NoWrap(),
            new TableColumn("Secret").NoWrap());
        if (isWide) table.AddColumn(new TableColumn("API server"));
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
            if (isWide) cells.Add(Cell(cluster.Server ?? "unknown", Quiet));
            table.AddRow(cells);
        }

        return table;
    }

    private static string SecretOf(ClusterReport cluster, DateTimeOffset now) =>
        Age(cluster, now) + (cluster.ManagedBy is { } keeper ? $", {keeper}" : "");

    private static string Age(ClusterReport cluster, DateTimeOffset now) =>
        cluster.SecretCreatedAt is { } created ? $"{Duration(now - created)} old"
        : cluster.SecretVersion is { } version ? $"version {version}"
        : "none";

    private static void WriteLive(IAnsiConsole console, TrustReport report, LiveMesh live)
    {
        var grid = Columns(3);
        foreach (var istiod in live.Istiods)
        {
            var style = istiod.IsCurrent switch { true => Good, false => Careful, null => Quiet };
            var name = $"istiod{(istiod.Revision.Length == 0 ? "" : $"-{istiod.Revision}")} of {istiod.Cluster}";
            var ca = istiod.SigningCa is { } signing ? $"signs with {signing.Subject}, serial {signing.SerialNumber}" : "";
            grid.AddRow(Cell(name, Strong), Cell(ca, style), Cell(istiod.Note ?? "", Careful));
        }

        if (live.Istiods.Count > 0) console.Write(grid);
        WriteMatrix(console, report, live.Matrix, "Who trusts whom now");
    }

    private static void WriteMatrix(IAnsiConsole console, TrustReport report, TrustMatrix matrix, string title)
    {
        var clusters = report.Clusters;
        var room = clusters.Sum(c => c.Name.Length + 3) + clusters.Select(c => c.Name.Length).DefaultIfEmpty().Max() + 4;
        if (clusters.Count is > 0 and <= ReportText.LargestMatrix && matrix.Pairs.Count > 0 && room <= console.Profile.Width)
        {
            Line(console, (title, Strong), (" (row: cluster of the workload, column: cluster that verifies it)", Quiet));
            var grid = Columns(clusters.Count + 1);
            grid.AddRow([Cell("", Style.Plain), .. clusters.Select(c => Cell(c.Name, Quiet))]);
            foreach (var row in matrix.Pairs.GroupBy(p => p.From))
                grid.AddRow([Cell($"  {row.Key}", Strong), .. row.Select(p => Mark(console, p.Trusted))]);
            console.Write(grid);
        }
        else if (matrix.Pairs.Count == 0)
        {
            Line(console, (title, Strong));
        }
        else
        {
            var trusted = $" {matrix.Trusted} of {matrix.Pairs.Count} cluster pairs trust each other";
            Line(console, (title, Strong), (trusted, Quiet));
            foreach (var row in ReportText.BrokenRows(matrix).Take(LongestFindings)) Line(console, ($"  {row}", Bad));
        }

        Line(console, (matrix.Method, Quiet));
        console.WriteLine();
    }

    private static void WriteFindings(IAnsiConsole console, TrustReport report)
    {
        var findings = report.Findings.OrderByDescending(f => f.Severity).ToList();
        if (findings.Count == 0) return;
        var grid = Columns(2);
        foreach (var finding in findings.Take(LongestFindings))
            grid.AddRow(Cell($"{finding.Id} {ReportText.Word(finding.Severity)}", StyleOf(finding)), Describe(console, finding));
        console.Write(grid);
        if (findings.Count > LongestFindings)
            Line(console, ($"… and {findings.Count - LongestFindings} more. Use --output=plain or --output=json to see all.", Careful));
        console.WriteLine();
    }

    private static void WriteDrift(IAnsiConsole console, TrustReport report)
    {
        var drift = ReportText.Differing(report).GroupBy(d => (d.Cluster, d.Detail)).ToList();
        if (drift.Count == 0) return;
        foreach (var files in drift.Take(LongestFindings))
        {
            var names = string.Join(", ", files.Select(f => f.File));
            Line(console, ($"{files.Key.Cluster}/{names}: ", Strong), (files.Key.Detail ?? "", Careful));
        }

        console.WriteLine();
    }

    private static void WriteClosing(IAnsiConsole console, TrustReport report)
    {
        var drift = ReportText.Differing(report).Count;
        var files = report.TrustStore is null ? ""
            : drift == 0 ? "; local files match the clusters"
            : $"; local files that differ from the clusters: {drift}";
        Line(console, ($"{ReportText.CheckCounts(report)}{files}", Quiet));
        var style = report.Outcome switch
        {
            TrustOutcome.Passed => Good,
            TrustOutcome.PassedWithWarnings => Careful,
            _ => Bad,
        };
        Line(console, (report.Verdict, style));
    }

    private static Table Framed(IAnsiConsole console) =>
        new() { Border = console.Profile.Capabilities.Unicode ? TableBorder.Rounded : TableBorder.Ascii };

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

    private static Style StyleOf(Finding finding) => finding.Severity == Severity.Error ? Bad : Careful;

    private static Paragraph Describe(IAnsiConsole console, Finding finding) => new Paragraph()
        .Append($"{OneLine(finding.Location)}: ", Strong)
        .Append(OneLine(finding.Message), Style.Plain)
        .Append($"\n{(console.Profile.Capabilities.Unicode ? "→" : "->")} {OneLine(finding.Hint)}", Quiet);

    // Text, not markup: content from a cluster must not be able to style the report.
    private static Text Cell(string text, Style style) => new(OneLine(text), style);

    private static void Line(IAnsiConsole console, params ReadOnlySpan<(string Text, Style Style)> parts)
    {
        var paragraph = new Paragraph();
        foreach (var (text, style) in parts) paragraph.Append(OneLine(text), style);
        console.Write(paragraph);
        console.WriteLine();
    }
}
