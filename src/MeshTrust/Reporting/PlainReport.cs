using MeshTrust.Checks;
using MeshTrust.IO;
using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>The reports as stable log lines: one fact per line, starting with the id or a fixed word for <c>grep</c>.</summary>
internal static class PlainReport
{
    public static void Write(TrustReport report, TextWriter output) => Write(Lines(report), output);

    /// <summary>Writes the result of the machine checks; with <paramref name="all"/> also the rows that need no attention.</summary>
    public static void Write(ChecksReport report, TextWriter output, bool all) => Write(Lines(report, all), output);

    private static void Write(IEnumerable<string> lines, TextWriter output)
    {
        foreach (var line in lines) output.WriteLine(Text.OneLine(line));
    }

    private static IEnumerable<string> Lines(ChecksReport report, bool all) =>
        ReportText.Rows(report, all).SelectMany(Lines).Append($"{report.Word} {report.Verdict}");

    private static IEnumerable<string> Lines(TrustReport report)
    {
        yield return $"MESH {report.Mesh}: {Text.Count(report.Clusters.Count, "cluster")}, read {Text.Time(report.At)}";
        foreach (var cluster in report.Clusters)
        {
            var server = cluster.Server ?? "unknown";
            yield return $"CLUSTER {cluster.Name} context={cluster.Context} server={server} secret={SecretOf(cluster)}"
                + (cluster.ManagedBy is { } keeper ? $" managed-by={keeper}" : "");
            foreach (var root in cluster.Roots) yield return $"ROOT {cluster.Name} {Certificate(root, report.At)}";
            if (cluster.Intermediate is { } ca) yield return $"CA {cluster.Name} {Certificate(ca, report.At)}";
        }

        foreach (var pair in Pairs(report, report.Matrix)) yield return $"PAIR {pair}";
        yield return $"MATRIX {report.Matrix.Trusted}/{report.Matrix.Pairs.Count} {report.Matrix.Method}";
        if (report.Live is { } live)
        {
            foreach (var istiod in live.Istiods) yield return $"ISTIOD {istiod.Cluster} {Of(istiod, report.At)}";
            foreach (var pair in Pairs(report, live.Matrix)) yield return $"LIVE {pair}";
            yield return $"LIVE {live.Matrix.Trusted}/{live.Matrix.Pairs.Count} {live.Matrix.Method}";
        }

        foreach (var drift in ReportText.Differing(report)) yield return $"DRIFT {drift.Cluster}/{drift.File}: {drift.Detail}";
        foreach (var line in report.Checks.SelectMany(Lines)) yield return line;
        yield return $"CHECKS {ReportText.CheckCounts(report)}";
        yield return $"RESULT {report.Verdict}";
    }

    private static IEnumerable<string> Pairs(TrustReport report, TrustMatrix matrix) => report.Clusters.Count <= ReportText.LargestMatrix
        ? matrix.Pairs.Select(pair => $"{pair.From} -> {pair.To} {Verdict(pair)}")
        : ReportText.BrokenRows(matrix);

    private static string Of(IstiodReport istiod, DateTimeOffset now) =>
        $"revision={(istiod.Revision.Length == 0 ? "default" : istiod.Revision)} pod={(istiod.Pod.Length == 0 ? "none" : istiod.Pod)} "
        + (istiod.SigningCa is { } ca ? $"{Certificate(ca, now)} " : "")
        + $"current={istiod.IsCurrent switch { true => "yes", false => "no", null => "unknown" }}"
        + (istiod.Note is { } note ? $" note={note}" : "");

    private static IEnumerable<string> Lines(CheckReport check)
    {
        yield return $"{check.Id} {ReportText.Word(check.Outcome)} {check.Title}{(check.Note is null ? "" : $" ({check.Note})")}";
        foreach (var cluster in check.Unchecked)
            yield return $"{check.Id} {(cluster.Unread ? "unknown" : "n/a")} {cluster.Cluster}: {cluster.Reason}";
        foreach (var finding in check.Findings)
            yield return $"{finding.Id} {ReportText.Word(finding.Severity)} {finding.Location}: {finding.Message} {finding.Hint}";
    }

    private static string SecretOf(ClusterReport cluster) =>
        cluster.SecretVersion is null && cluster.SecretCreatedAt is null ? "none"
        : $"{cluster.SecretVersion ?? "?"}{(cluster.SecretCreatedAt is { } at ? $" created={Text.Time(at)}" : "")}";

    private static string Certificate(CertificateSummary certificate, DateTimeOffset now) =>
        $"sha256={certificate.Sha256} serial={certificate.SerialNumber} "
        + $"expires={Text.Time(certificate.NotAfter)} ({ReportText.Left(certificate.NotAfter, now)}) subject={certificate.Subject}";

    private static string Verdict(TrustPair pair) => pair.Trusted switch
    {
        true => pair.Handshaken ? "trusted (path, handshake)" : "trusted (same bytes)",
        false => $"NOT TRUSTED: {pair.Reason}",
        null => $"unknown: {pair.Reason}",
    };
}
