using System.Text;
using MeshTrust.Checks;
using MeshTrust.Verification;
using static MeshTrust.IO.Text;

namespace MeshTrust.Reporting;

/// <summary>The report for a step summary: GitHub-flavoured Markdown, with the problems first.</summary>
internal static class MarkdownReport
{
    public static string Render(TrustReport report)
    {
        var text = new StringBuilder();
        text.Append($"## {Sign(report.Outcome)} MeshTrust: {Escape(report.Mesh)}\n\n{Escape(report.Verdict)} ");
        text.Append($"Read {Time(report.At)}. {Escape(ReportText.CheckCounts(report))}.\n\n");
        AppendFindings(text, report);
        AppendClusters(text, report);
        AppendMatrix(text, report, report.Matrix, "Who trusts whom");
        if (report.Live is { } live) AppendLive(text, report, live);
        AppendChecks(text, report);
        return text.ToString();
    }

    private static void AppendFindings(StringBuilder text, TrustReport report)
    {
        var findings = report.Findings.OrderByDescending(f => f.Severity).ToList();
        if (findings.Count == 0) return;
        text.Append("### Problems to fix\n\n| id | | where | problem | fix |\n|---|---|---|---|---|\n");
        foreach (var finding in findings)
        {
            text.Append($"| `{finding.Id}` | {ReportText.Word(finding.Severity)} | {Escape(finding.Location)} | ");
            text.Append($"{Escape(finding.Message)} | {Escape(finding.Hint)} |\n");
        }

        text.Append('\n');
    }

    private static void AppendClusters(StringBuilder text, TrustReport report)
    {
        text.Append("### Clusters\n\n| cluster | context | root (SHA-256) | root expires | signing CA | serial | expires |\n");
        text.Append("|---|---|---|---|---|---|---|\n");
        foreach (var cluster in report.Clusters)
        {
            var prints = string.Join("<br>", cluster.Roots.Select(r => $"`{ReportText.Short(r.Sha256)}`"));
            var roots = cluster.Roots.Count == 0 ? "none" : prints;
            var expiries = string.Join("<br>", cluster.Roots.Select(r => ReportText.Day(r.NotAfter)));
            var ca = cluster.Intermediate;
            var subject = ca?.Subject + (cluster.ManagedBy is null ? "" : $" ({cluster.ManagedBy})");
            text.Append($"| {Escape(cluster.Name)} | {Escape(cluster.Context)} | {roots} | {expiries} | ");
            text.Append(ca is null ? "none |  |  |\n" : $"{Escape(subject)} | `{ca.SerialNumber}` | {ReportText.Day(ca.NotAfter)} |\n");
        }

        text.Append('\n');
    }

    private static void AppendMatrix(StringBuilder text, TrustReport report, TrustMatrix matrix, string title)
    {
        text.Append($"### {title}\n\n");
        if (report.Clusters.Count is > 0 and <= ReportText.LargestMatrix && matrix.Pairs.Count > 0)
        {
            text.Append($"| a workload of … is trusted in |{string.Concat(report.Clusters.Select(c => $" {Escape(c.Name)} |"))}\n");
            text.Append($"|---|{string.Concat(report.Clusters.Select(_ => ":---:|"))}\n");
            foreach (var row in matrix.Pairs.GroupBy(p => p.From))
                text.Append($"| **{Escape(row.Key)}** |{string.Concat(row.Select(p => $" {Sign(p.Trusted)} |"))}\n");

            text.Append('\n');
        }
        else if (matrix.Pairs.Count > 0)
        {
            foreach (var row in ReportText.BrokenRows(matrix)) text.Append($"- {Escape(row)}\n");
            text.Append($"\n{matrix.Trusted} of {matrix.Pairs.Count} cluster pairs trust each other.\n\n");
        }

        text.Append(Escape(matrix.Method)).Append("\n\n");
    }

    private static void AppendLive(StringBuilder text, TrustReport report, LiveMesh live)
    {
        AppendMatrix(text, report, live.Matrix, "Who trusts whom now");
        if (live.Istiods.Count == 0) return;
        text.Append("| istiod in | revision | pod | signs with | serial | CA of the secret | |\n|---|---|---|---|---|---|---|\n");
        foreach (var istiod in live.Istiods)
        {
            var revision = istiod.Revision.Length == 0 ? "default" : istiod.Revision;
            text.Append($"| {Escape(istiod.Cluster)} | {Escape(revision)} | {Escape(istiod.Pod)} | ");
            text.Append(istiod.SigningCa is { } ca ? $"{Escape(ca.Subject)} | `{ca.SerialNumber}` | " : "unknown |  | ");
            text.Append($"{istiod.IsCurrent switch { true => "yes", false => "no", null => "unknown" }} | {Escape(istiod.Note ?? "")} |\n");
        }

        text.Append('\n');
    }

    private static void AppendChecks(StringBuilder text, TrustReport report)
    {
        text.Append($"<details><summary>{Count(report.Checks.Count, "check")}</summary>\n\n");
        text.Append("| id | outcome | rule | source |\n|---|---|---|---|\n");
        foreach (var check in report.Checks)
        {
            var lacking = check.Unchecked.Select(u => $"{u.Cluster} not checked: {u.Reason}");
            var note = string.Join("; ", new[] { check.Note }.Concat(lacking).OfType<string>());
            var title = note.Length == 0 ? check.Title : $"{check.Title} ({note})";
            text.Append($"| `{check.Id}` | {ReportText.Word(check.Outcome)} | {Escape(title)} | {Escape(check.Source)} |\n");
        }

        text.Append("\n</details>\n");
        var drift = ReportText.Differing(report);
        if (drift.Count == 0) return;
        text.Append("\n<details><summary>Files that differ from the clusters</summary>\n\n");
        foreach (var file in drift) text.Append($"- {Escape($"{file.Cluster}/{file.File}: {file.Detail}")}\n");
        text.Append("\n</details>\n");
    }

    private static string Sign(TrustOutcome outcome) => outcome switch
    {
        TrustOutcome.Passed => "✅",
        TrustOutcome.PassedWithWarnings => "⚠️",
        TrustOutcome.CouldNotCheck => "❔",
        _ => "❌",
    };

    private static string Sign(bool? trusted) => trusted switch
    {
        true => "✅",
        false => "❌",
        null => "❔",
    };

    /// <summary>Text from a cluster must stay text: it must not create cells, markup or mentions.</summary>
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 8);
        foreach (var c in OneLine(text))
        {
            switch (c)
            {
                case '|' or '\\' or '`' or '*' or '_' or '[' or ']' or '~': escaped.Append('\\').Append(c); break;
                case '<': escaped.Append("&lt;"); break;
                case '>': escaped.Append("&gt;"); break;
                case '&': escaped.Append("&amp;"); break;
                case '@': escaped.Append("&#64;"); break;
                default: escaped.Append(c); break;
            }
        }

        return escaped.ToString();
    }
}
