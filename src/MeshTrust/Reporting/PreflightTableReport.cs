using MeshTrust.Checks;
using MeshTrust.Kind;
using Spectre.Console;

namespace MeshTrust.Reporting;

/// <summary>What the checks of the machine found, as one table for a person at a terminal: id, what was measured against what is needed, and what mends it.</summary>
public static class PreflightTableReport
{
    private static readonly Style Good = new(Color.Green);
    private static readonly Style Bad = new(Color.Red, decoration: Decoration.Bold);
    private static readonly Style Careful = new(Color.Yellow);
    private static readonly Style Quiet = new(Color.Grey);

    /// <summary>Writes the report to the console, in its width and with its colours.</summary>
    /// <param name="report">The report.</param>
    /// <param name="console">Where to.</param>
    /// <param name="all">Whether rows that need nobody's attention are shown too.</param>
    public static void Write(PreflightReport report, IAnsiConsole console, bool all)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(console);
        var rows = report.Rows.Where(r => all || PreflightText.NeedsAttention(r)).ToList();
        if (rows.Count > 0)
        {
            console.WriteLine();
            console.Write(Table(console, rows));
        }

        console.Write(Cell(PreflightText.Verdict(report), report.Errors > 0 ? Bad : report.Warnings > 0 ? Careful : Good));
        console.WriteLine();
    }

    private static Table Table(IAnsiConsole console, IReadOnlyList<PreflightRow> rows)
    {
        var table = new Table { Border = console.Profile.Capabilities.Unicode ? TableBorder.Rounded : TableBorder.Ascii };
        table.AddColumns(new TableColumn("Id").NoWrap(), new TableColumn("").NoWrap(), new TableColumn("Found and needed, and what mends it"));
        var arrow = console.Profile.Capabilities.Unicode ? "→" : "->";
        foreach (var row in rows)
        {
            var style = StyleOf(row.Outcome);
            if (row.Problems.Count == 0)
            {
                table.AddRow(Cell(row.Id, Style.Plain), Cell(PreflightText.Word(row.Outcome), style), Text($"{row.Title}: ", row.Measured, Quiet));
                continue;
            }

            foreach (var problem in row.Problems)
            {
                var weight = problem.Severity == Severity.Error ? Bad : Careful;
                table.AddRow(Cell(problem.Id, weight), Cell(PreflightText.Word(problem.Severity), weight), Text($"{problem.Location}: ", problem.Message, Style.Plain).Append($"\n{arrow} {ReportText.OneLine(problem.Hint)}", Quiet));
            }
        }

        return table;
    }

    private static Style StyleOf(PreflightOutcome outcome) => outcome switch
    {
        PreflightOutcome.Passed => Good,
        PreflightOutcome.Unknown => Careful,
        _ => Quiet,
    };

    private static Paragraph Text(string head, string text, Style style) => new Paragraph().Append(ReportText.OneLine(head), new Style(decoration: Decoration.Bold)).Append(ReportText.OneLine(text), style);

    // Text, not markup: what an engine says must not be able to style the table.
    private static Text Cell(string text, Style style) => new(ReportText.OneLine(text), style);
}
