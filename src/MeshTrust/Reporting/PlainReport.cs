using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>The report as stable lines for logs: one fact a line, the id or a fixed word first, so that <c>grep</c> finds it.</summary>
public static class PlainReport
{
    /// <summary>Writes the report. Lines end in the writer's own line break.</summary>
    public static void Write(TrustReport report, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        foreach (var line in Lines(report)) output.WriteLine(ReportText.OneLine(line));
    }

    private static IEnumerable<string> Lines(TrustReport report)
    {
        yield return $"MESH {report.Mesh}: {ReportText.Count(report.Clusters.Count, "cluster")}, read {ReportText.Time(report.At)}";
        foreach (var cluster in report.Clusters)
        {
            yield return $"CLUSTER {cluster.Name} context={cluster.Context} server={cluster.Server ?? "unknown"} secret={SecretOf(cluster)}";
            foreach (var root in cluster.Roots) yield return $"ROOT {cluster.Name} {Certificate(root, report.At)}";
            if (cluster.Intermediate is { } ca) yield return $"CA {cluster.Name} {Certificate(ca, report.At)}";
        }

        if (report.Clusters.Count <= ReportText.LargestMatrix)
        {
            foreach (var pair in report.Matrix.Pairs) yield return $"PAIR {pair.From} -> {pair.To} {Verdict(pair)}";
        }
        else
        {
            foreach (var row in ReportText.BrokenRows(report.Matrix)) yield return $"PAIR {row}";
        }

        yield return $"MATRIX {report.Matrix.Trusted}/{report.Matrix.Pairs.Count} {report.Matrix.Method}";
        foreach (var drift in report.Drift.Where(d => d.Same is not true)) yield return $"DRIFT {drift.Cluster}/{drift.File}: {drift.Detail}";
        foreach (var check in report.Checks)
        {
            yield return $"{check.Id} {ReportText.Word(check.Outcome)} {check.Title}{(check.Note is null ? "" : $" ({check.Note})")}";
            foreach (var cluster in check.Unchecked) yield return $"{check.Id} {(cluster.Unread ? "unknown" : "n/a")} {cluster.Cluster}: {cluster.Reason}";
            foreach (var finding in check.Findings)
            {
                var problem = finding.ToProblem();
                yield return $"{finding.Id} {(finding.Severity == Severity.Error ? "error" : "warning")} {problem.Location}: {finding.Message} {finding.Hint}";
            }
        }

        yield return $"CHECKS {ReportText.CheckCounts(report)}";
        yield return $"RESULT {ReportText.Verdict(report)}";
    }

    private static string SecretOf(ClusterReport cluster) =>
        cluster.SecretVersion is null && cluster.SecretCreatedAt is null ? "none"
        : $"{cluster.SecretVersion ?? "?"}{(cluster.SecretCreatedAt is { } at ? $" created={ReportText.Time(at)}" : "")}";

    private static string Certificate(CertificateSummary certificate, DateTimeOffset now) =>
        $"sha256={certificate.Sha256} serial={certificate.SerialNumber} expires={ReportText.Time(certificate.NotAfter)} ({ReportText.Left(certificate.NotAfter, now)}) subject={certificate.Subject}";

    private static string Verdict(TrustPair pair) => pair.Trusted switch
    {
        true => pair.Handshaken ? "trusted (path, handshake)" : "trusted (same bytes)",
        false => $"NOT TRUSTED: {pair.Reason}",
        null => $"unknown: {pair.Reason}",
    };
}
