using System.Globalization;
using MeshTrust.Checks;
using MeshTrust.IO;
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
    public static string Left(DateTimeOffset notAfter, DateTimeOffset now) =>
        notAfter < now ? $"expired {Text.Duration(now - notAfter)} ago" : $"in {Text.Duration(notAfter - now)}";

    /// <summary>Enough of a fingerprint to compare by eye.</summary>
    public static string Short(string sha256) => sha256.Length > 16 ? sha256[..16] : sha256;

    public static string Word(Severity severity) => severity == Severity.Error ? "error" : "warning";

    public static string Word(CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Passed => "pass",
        CheckOutcome.NotApplicable => "n/a",
        CheckOutcome.Warned => "warn",
        CheckOutcome.CouldNotCheck => "unknown",
        _ => "FAIL",
    };

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
        return $"{Text.Count(report.Checks.Count, "check")}: {string.Join(", ", parts)}";
    }

    /// <summary>For each cluster that is not trusted everywhere: where it is not, and why first.</summary>
    public static IEnumerable<string> BrokenRows(TrustMatrix matrix) =>
        from pair in matrix.Pairs
        where pair.Trusted is not true
        group pair by pair.From into row
        let peers = row.Select(p => p.To).ToList()
        let names = $"{string.Join(", ", peers.Take(8))}{(peers.Count > 8 ? $" and {peers.Count - 8} more" : "")}"
        select $"{row.Key} is not proven in {names}: {row.First().Reason}";

    /// <summary>The roots of all clusters, each with a letter or number that a table can use.</summary>
    public static IReadOnlyList<(string Label, CertificateSummary Root)> Roots(TrustReport report)
    {
        var roots = report.Clusters.SelectMany(c => c.Roots).DistinctBy(r => r.Sha256);
        return [.. roots.Select((root, i) => (i < 26 ? $"{(char)('A' + i)}" : $"R{i + 1}", root))];
    }

    /// <summary>The files that differ from the clusters, or are only on one side.</summary>
    public static IReadOnlyList<SecretDrift> Differing(TrustReport report) => [.. report.Drift.Where(d => d.Same is not true)];

    /// <summary>The rows of a preflight that somebody should read, or all of them.</summary>
    public static IReadOnlyList<CheckReport> Rows(PreflightReport report, bool all) =>
        [.. report.Rows.Where(r => all || r.Outcome is CheckOutcome.Warned or CheckOutcome.Failed)];
}
