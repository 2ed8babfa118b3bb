using System.Globalization;
using System.Text;
using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>The words and figures that all reports share.</summary>
internal static class ReportText
{
    /// <summary>More clusters than this, and the matrix is summed up: it would fill the screen and say nothing.</summary>
    public const int LargestMatrix = 12;

    /// <summary>Seconds, UTC.</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>The day, UTC.</summary>
    public static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>How long until an expiry, or since.</summary>
    public static string Left(DateTimeOffset notAfter, DateTimeOffset now)
    {
        var left = notAfter - now;
        if (left < TimeSpan.Zero) return $"expired {Span(-left)} ago";
        return $"in {Span(left)}";
    }

    /// <summary>How long, in the unit that people would use.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { TotalDays: >= 2 } => $"{(long)span.TotalDays} days",
        { TotalHours: >= 2 } => $"{(long)span.TotalHours} hours",
        { TotalMinutes: >= 2 } => $"{(long)span.TotalMinutes} minutes",
        _ => $"{Math.Max(0, (long)span.TotalSeconds)} seconds",
    };

    /// <summary>Enough of a fingerprint to compare by eye.</summary>
    public static string Short(string sha256) => sha256.Length > 16 ? sha256[..16] : sha256;

    /// <summary>One line: what a cluster holds must not be able to draw lines of its own into a report.</summary>
    public static string OneLine(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        if (!text.Any(IsUnprintable)) return text;
        var line = new StringBuilder(text.Length);
        foreach (var c in text) line.Append(IsUnprintable(c) ? ' ' : c);
        return line.ToString();
    }

    /// <summary>One word for each outcome of a check.</summary>
    public static string Word(CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Passed => "pass",
        CheckOutcome.NotApplicable => "n/a",
        CheckOutcome.Warned => "warn",
        CheckOutcome.CouldNotCheck => "unknown",
        _ => "FAIL",
    };

    /// <summary>The whole as a sentence.</summary>
    public static string Verdict(TrustReport report)
    {
        var pairs = $"{report.Matrix.Trusted} of {report.Matrix.Pairs.Count} ordered pairs trusted";
        // One cluster has nobody to trust: what passed says nothing of trust between clusters.
        const string Alone = "Add a second cluster to prove trust between clusters.";
        return report.Outcome switch
        {
            TrustOutcome.Passed when IsAlone(report) => $"One cluster: its own workloads verify. {Alone}",
            TrustOutcome.PassedWithWarnings when IsAlone(report) => $"One cluster: its own workloads verify, {Count(report.Warnings, "warning")}. {Alone}",
            TrustOutcome.Passed => $"Trust is proven: {pairs}, nothing to mend.",
            TrustOutcome.PassedWithWarnings => $"Trust is proven: {pairs}, {Count(report.Warnings, "warning")}.",
            TrustOutcome.CouldNotCheck => $"Nothing is proven: {pairs}, but {Count(report.Errors, "thing")} could not be read.",
            _ => $"Trust is broken: {pairs}, {Count(report.Errors, "error")}, {Count(report.Warnings, "warning")}.",
        };
    }

    /// <summary>Whether there is one cluster, which has nobody to trust.</summary>
    public static bool IsAlone(TrustReport report) => report.Clusters.Count == 1;

    /// <summary>How the checks ended, in figures.</summary>
    public static string CheckCounts(TrustReport report)
    {
        var parts = report.Checks.GroupBy(c => c.Outcome).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key switch
        {
            CheckOutcome.Passed => "passed",
            CheckOutcome.NotApplicable => "not applicable",
            CheckOutcome.Warned => "with warnings",
            CheckOutcome.CouldNotCheck => "could not check",
            _ => "failed",
        }}");
        return $"{Count(report.Checks.Count, "check")}: {string.Join(", ", parts)}";
    }

    /// <summary>A figure with its noun.</summary>
    public static string Count(int count, string noun) => $"{count.ToString(CultureInfo.InvariantCulture)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>For each cluster that is not trusted everywhere: where it is not, and why first.</summary>
    public static IEnumerable<string> BrokenRows(TrustMatrix matrix) =>
        from pair in matrix.Pairs
        where pair.Trusted is not true
        group pair by pair.From into row
        let peers = row.Select(p => p.To).ToList()
        select $"{row.Key} is not proven in {string.Join(", ", peers.Take(8))}{(peers.Count > 8 ? $" and {peers.Count - 8} more" : "")}: {row.First().Reason}";

    /// <summary>The roots of all clusters, each with a letter or number that a table can use.</summary>
    public static IReadOnlyList<(string Label, CertificateSummary Root)> Roots(TrustReport report) =>
        [.. report.Clusters.SelectMany(c => c.Roots).DistinctBy(r => r.Sha256).Select((r, i) => (i < 26 ? ((char)('A' + i)).ToString() : $"R{i + 1}", r))];

    private static bool IsUnprintable(char c) => char.IsControl(c) || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
