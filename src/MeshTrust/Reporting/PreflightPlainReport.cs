using MeshTrust.Checks;

namespace MeshTrust.Reporting;

/// <summary>What the checks of the machine found, as stable lines for logs: the id first, so that <c>grep</c> finds it.</summary>
public static class PreflightPlainReport
{
    /// <summary>Writes the report. Lines end in the writer's own line break.</summary>
    /// <param name="report">The report.</param>
    /// <param name="output">Where to.</param>
    /// <param name="all">Whether rows that need nobody's attention are written too.</param>
    public static void Write(PreflightReport report, TextWriter output, bool all)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        foreach (var line in Lines(report, all)) output.WriteLine(ReportText.OneLine(line));
    }

    private static IEnumerable<string> Lines(PreflightReport report, bool all)
    {
        foreach (var row in report.Rows.Where(r => all || PreflightText.NeedsAttention(r)))
        {
            yield return $"{row.Id} {PreflightText.Word(row.Outcome)} {row.Title} ({row.Measured})";
            foreach (var problem in row.Problems)
                yield return $"{problem.Id} {PreflightText.Word(problem.Severity)} {problem.Location}: {problem.Message} {problem.Hint}";
        }

        yield return $"PREFLIGHT {PreflightText.Verdict(report)}";
    }
}
