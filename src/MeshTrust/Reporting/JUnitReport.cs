using System.Globalization;
using System.Text;
using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>
/// The report for test readers: a suite for each check, a case for each cluster (for MT5002: each ordered pair, while there are at most 100).
/// An error is a <c>failure</c>, what could not be read an <c>error</c>, what does not apply is <c>skipped</c>, a warning is <c>system-out</c>.
/// </summary>
public static class JUnitReport
{
    private const string Mesh = "mesh";

    // Written by hand: the document has five elements, and an XML stack costs more to load than it saves here.
    /// <summary>The report as XML 1.0 in UTF-8, ending in one line break.</summary>
    public static string Render(TrustReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var suites = report.Checks.Select(check => (Check: check, Cases: Cases(check, report).ToList())).ToList();
        var xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.Append("<testsuites name=\"MeshTrust\"").Append(Counts(suites.SelectMany(s => s.Cases))).Append(">\n");
        foreach (var (check, cases) in suites)
        {
            xml.Append(CultureInfo.InvariantCulture, $"  <testsuite name=\"{Escape($"{check.Id} {check.Title}")}\"{Counts(cases)} timestamp=\"{report.At.UtcDateTime:yyyy-MM-ddTHH:mm:ss}\" hostname=\"{Escape(report.Mesh)}\">\n");
            foreach (var one in cases) Append(xml, check, one);
            xml.Append("  </testsuite>\n");
        }

        return xml.Append("</testsuites>\n").ToString();
    }

    private static IEnumerable<Case> Cases(CheckReport check, TrustReport report)
    {
        if (check.Outcome == CheckOutcome.NotApplicable)
        {
            yield return new Case(Mesh, [], check.Note ?? "not applicable", null);
            yield break;
        }

        if (check.Findings.Where(f => f.Cluster is null).ToList() is { Count: > 0 } general) yield return new Case(Mesh, general, null, null);
        if (check.Id == "MT5002" && report.Matrix.Pairs.Count is > 0 and <= 100)
        {
            var told = check.Findings.Where(f => f.Cluster is not null).ToLookup(f => (f.Cluster!, f.Peer ?? f.Cluster!));
            foreach (var pair in report.Matrix.Pairs)
            {
                yield return new Case($"{pair.From} -> {pair.To}", [.. told[(pair.From, pair.To)]], null, pair.Trusted is null ? pair.Reason ?? "could not be read" : null)
                {
                    Remark = ReportText.IsAlone(report) && pair.Trusted == true ? ReportText.Verdict(report) : null,
                };
            }

            yield break;
        }

        foreach (var cluster in report.Clusters)
        {
            var skipped = check.Unchecked.FirstOrDefault(u => u.Cluster == cluster.Name);
            yield return new Case(
                cluster.Name,
                [.. check.Findings.Where(f => f.Cluster == cluster.Name)],
                skipped is { Unread: false } ? skipped.Reason : null,
                skipped is { Unread: true } ? skipped.Reason : null);
        }
    }

    private static void Append(StringBuilder xml, CheckReport check, Case one)
    {
        xml.Append(CultureInfo.InvariantCulture, $"    <testcase classname=\"MeshTrust.{check.Id}\" name=\"{Escape(one.Name)}\" time=\"0\"");
        if (one is { Kind: CaseKind.Passed, Warnings.Count: 0, Remark: null })
        {
            xml.Append(" />\n");
            return;
        }

        xml.Append(">\n");
        switch (one.Kind)
        {
            case CaseKind.Failed:
                Append(xml, "failure", check.Id, one.Failures);
                break;
            case CaseKind.Unknown when one.Unknown.Count > 0:
                Append(xml, "error", check.Id, one.Unknown);
                break;
            case CaseKind.Unknown:
                xml.Append(CultureInfo.InvariantCulture, $"      <error type=\"{check.Id}\" message=\"{Escape($"could not check: {one.Unread}")}\" />\n");
                break;
            case CaseKind.Skipped:
                xml.Append(CultureInfo.InvariantCulture, $"      <skipped message=\"{Escape(one.Skipped!)}\" />\n");
                break;
        }

        if (one.Warnings.Count > 0 || one.Remark is not null)
        {
            var told = string.Join('\n', new[] { Text(one.Warnings), one.Remark ?? "" }.Where(t => t.Length > 0));
            xml.Append(CultureInfo.InvariantCulture, $"      <system-out>{Escape(told)}</system-out>\n");
        }

        xml.Append("    </testcase>\n");
    }

    private static void Append(StringBuilder xml, string element, string id, List<TrustFinding> findings) =>
        xml.Append(CultureInfo.InvariantCulture, $"      <{element} type=\"{id}\" message=\"{Escape(findings[0].Message)}\">{Escape(Text(findings))}</{element}>\n");

    private static string Text(IEnumerable<TrustFinding> findings) => string.Join('\n', findings.Select(f => ReportText.OneLine(f.ToString())));

    private static string Counts(IEnumerable<Case> cases)
    {
        var kinds = cases.Select(c => c.Kind).ToList();
        return $" tests=\"{kinds.Count}\" failures=\"{kinds.Count(k => k == CaseKind.Failed)}\" errors=\"{kinds.Count(k => k == CaseKind.Unknown)}\" skipped=\"{kinds.Count(k => k == CaseKind.Skipped)}\" time=\"0\"";
    }

    /// <summary>XML 1.0 has no way to write most control characters, nor half a surrogate pair: they become '?'.</summary>
    private static string Escape(string text)
    {
        var xml = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '<': xml.Append("&lt;"); break;
                case '>': xml.Append("&gt;"); break;
                case '&': xml.Append("&amp;"); break;
                case '"': xml.Append("&quot;"); break;
                case '\n': xml.Append("&#10;"); break;
                case < 0x20 or (>= 0x7f and <= 0x9f) or 0xfffe or 0xffff or 0xfffd: xml.Append('?'); break;
                default: xml.Append(rune.ToString()); break;
            }
        }

        return xml.ToString();
    }

    private enum CaseKind
    {
        Passed,
        Failed,
        Unknown,
        Skipped,
    }

    private sealed class Case(string name, IReadOnlyList<TrustFinding> findings, string? skipped, string? unread)
    {
        public string Name { get; } = name;

        public string? Skipped { get; } = skipped;

        public string? Unread { get; } = unread;

        /// <summary>What a reader should know although the case passed.</summary>
        public string? Remark { get; init; }

        public List<TrustFinding> Failures { get; } = [.. findings.Where(f => f is { Severity: Severity.Error, CouldNotCheck: false })];

        public List<TrustFinding> Unknown { get; } = [.. findings.Where(f => f is { Severity: Severity.Error, CouldNotCheck: true })];

        public List<TrustFinding> Warnings { get; } = [.. findings.Where(f => f.Severity == Severity.Warning)];

        public CaseKind Kind =>
            Failures.Count > 0 ? CaseKind.Failed
            : Unknown.Count > 0 || Unread is not null ? CaseKind.Unknown
            : Skipped is not null ? CaseKind.Skipped
            : CaseKind.Passed;
    }
}
