using MeshTrust.Checks;
using MeshTrust.Kind;

namespace MeshTrust.Reporting;

/// <summary>The words that the reports of a preflight share.</summary>
internal static class PreflightText
{
    /// <summary>Whether somebody should read the row although not everything was asked for.</summary>
    public static bool NeedsAttention(PreflightRow row) => row.Outcome is PreflightOutcome.Warned or PreflightOutcome.Failed;

    /// <summary>One word for each outcome.</summary>
    public static string Word(PreflightOutcome outcome) => outcome switch
    {
        PreflightOutcome.Passed => "pass",
        PreflightOutcome.NotApplicable => "n/a",
        PreflightOutcome.Unknown => "unknown",
        PreflightOutcome.Warned => "warn",
        _ => "FAIL",
    };

    /// <summary>One word for each severity.</summary>
    public static string Word(Severity severity) => severity == Severity.Error ? "error" : "warning";

    /// <summary>The whole as a sentence, with the figures.</summary>
    public static string Verdict(PreflightReport report)
    {
        var parts = report.Rows.GroupBy(r => r.Outcome).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key switch
        {
            PreflightOutcome.Passed => "passed",
            PreflightOutcome.NotApplicable => "not applicable",
            PreflightOutcome.Unknown => "could not look",
            PreflightOutcome.Warned => "with warnings",
            _ => "failed",
        }}");
        var end = report.Errors > 0 ? $"Nothing was started: {ReportText.Count(report.Errors, "error")} to mend first." : "The run can go on.";
        return $"{ReportText.Count(report.Rows.Count, "check")} of this machine for {report.Mesh}: {string.Join(", ", parts)}. {end}";
    }
}
