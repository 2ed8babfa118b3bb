using MeshTrust.Verification;
using Spectre.Console;

namespace MeshTrust.Reporting;

/// <summary>The report for a person at a terminal.</summary>
public static class TableReport
{
    /// <summary>Writes the report to the console, in its width and with its colours.</summary>
    public static void Write(TrustReport report, IAnsiConsole console)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(console);
        foreach (var finding in report.Findings) console.WriteLine(finding.ToString());
    }
}
