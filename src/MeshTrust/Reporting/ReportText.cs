using System.Globalization;
using MeshTrust.Checks;
using MeshTrust.IO;
using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>The text and numbers that all reports share.</summary>
internal static class ReportText
{
    /// <summary>Above this number of clusters the matrix is summarised: it would fill the screen without being readable.</summary>
    public const int LargestMatrix = 12;

    public static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

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

    public static string CheckCounts(TrustReport report) =>
        $"{Text.Count(report.Checks.Count, "check")}: {CheckReport.Counts(report.Checks)}";

    /// <summary>For each cluster that is not trusted everywhere: the clusters that do not trust it, and the first reason.</summary>
    public static IEnumerable<string> BrokenRows(TrustMatrix matrix) =>
        from pair in matrix.Pairs
        where pair.Trusted is not true
        group pair by pair.From into row
        let peers = row.Select(p => p.To).ToList()
        select $"{row.Key} is not trusted in {Text.Names(peers, 8)}: {row.First().Reason}";

    /// <summary>The roots of all clusters, each with a letter or number for the table.</summary>
    public static IReadOnlyList<LabelledRoot> Roots(TrustReport report)
    {
        var roots = report.Clusters.SelectMany(c => c.Roots).DistinctBy(r => r.Sha256);
        return [.. roots.Select((root, i) => new LabelledRoot(i < 26 ? $"{(char)('A' + i)}" : $"R{i + 1}", root))];
    }

    /// <summary>The files that differ from the clusters, or exist on one side only.</summary>
    public static IReadOnlyList<SecretDrift> Differing(TrustReport report) => [.. report.Drift.Where(d => d.Same is not true)];

    /// <summary>The rows of a preflight that need attention, or all of them.</summary>
    public static IReadOnlyList<CheckReport> Rows(ChecksReport report, bool all) =>
        [.. report.Rows.Where(r => all || r.Outcome is CheckOutcome.Warned or CheckOutcome.Failed)];
}

/// <summary>A root with the letter or number that identifies it in tables and in the drawing.</summary>
internal sealed record LabelledRoot(string Label, CertificateSummary Root);
