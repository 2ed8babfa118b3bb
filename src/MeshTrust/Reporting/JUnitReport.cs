using System.Globalization;
using System.Text;
using System.Xml;
using MeshTrust.Checks;
using MeshTrust.IO;

namespace MeshTrust.Reporting;

/// <summary>
/// The report for test readers: a suite for each check, a case for each cluster (for MT5002: each ordered pair, while there are at most
/// 100). An error is a <c>failure</c>, what could not be read an <c>error</c>, what does not apply is <c>skipped</c>, a warning is
/// <c>system-out</c>.
/// </summary>
internal static class JUnitReport
{
    private const string Mesh = "mesh";

    /// <summary>The report as XML 1.0 in UTF-8, ending in one line break.</summary>
    public static string Render(TrustReport report)
    {
        var suites = report.Checks.Select(check => (Check: check, Cases: Cases(check, report).ToList())).ToList();
        using var text = new Utf8StringWriter();
        // What XML cannot hold is replaced before it gets here, so that the writer need not throw.
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, NewLineChars = "\n", CheckCharacters = false }))
        {
            xml.WriteStartElement("testsuites");
            Attribute(xml, "name", "MeshTrust");
            WriteCounts(xml, suites.SelectMany(s => s.Cases));
            foreach (var (check, cases) in suites)
            {
                xml.WriteStartElement("testsuite");
                Attribute(xml, "name", $"{check.Id} {check.Title}");
                WriteCounts(xml, cases);
                Attribute(xml, "timestamp", report.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture));
                Attribute(xml, "hostname", report.Mesh);
                foreach (var one in cases) Write(xml, check.Id, one);
                xml.WriteEndElement();
            }

            xml.WriteEndElement();
        }

        return text + "\n";
    }

    private static IEnumerable<Case> Cases(CheckReport check, TrustReport report)
    {
        if (check.Outcome == CheckOutcome.NotApplicable)
        {
            yield return new Case(Mesh, [], check.Note ?? "not applicable", null);
            yield break;
        }

        if (check.Findings.Where(f => f.Cluster is null).ToList() is { Count: > 0 } general)
            yield return new Case(Mesh, general, null, null);
        if (check.Id == ProblemCodes.PairNotTrusted && report.Matrix.Pairs.Count is > 0 and <= 100)
        {
            var found = check.Findings.Where(f => f.Cluster is not null).ToLookup(f => (f.Cluster!, f.Peer ?? f.Cluster!));
            foreach (var pair in report.Matrix.Pairs)
            {
                var unread = pair.Trusted is null ? pair.Reason ?? "could not be read" : null;
                var remark = report.IsAlone && pair.Trusted == true ? report.Verdict : null;
                yield return new Case($"{pair.From} -> {pair.To}", [.. found[(pair.From, pair.To)]], null, unread) { Remark = remark };
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

    private static void WriteCounts(XmlWriter xml, IEnumerable<Case> cases)
    {
        var kinds = cases.Select(c => c.Kind).ToList();
        Attribute(xml, "tests", $"{kinds.Count}");
        Attribute(xml, "failures", $"{kinds.Count(k => k == CaseKind.Failed)}");
        Attribute(xml, "errors", $"{kinds.Count(k => k == CaseKind.Unknown)}");
        Attribute(xml, "skipped", $"{kinds.Count(k => k == CaseKind.Skipped)}");
        Attribute(xml, "time", "0");
    }

    private static void Write(XmlWriter xml, string id, Case one)
    {
        xml.WriteStartElement("testcase");
        Attribute(xml, "classname", $"MeshTrust.{id}");
        Attribute(xml, "name", one.Name);
        Attribute(xml, "time", "0");
        switch (one.Kind)
        {
            case CaseKind.Failed:
                Write(xml, "failure", id, one.Failures[0].Message, Lines(one.Failures));
                break;
            case CaseKind.Unknown when one.Unknown.Count > 0:
                Write(xml, "error", id, one.Unknown[0].Message, Lines(one.Unknown));
                break;
            case CaseKind.Unknown:
                Write(xml, "error", id, $"could not check: {one.Unread}", "");
                break;
            case CaseKind.Skipped:
                Write(xml, "skipped", null, one.Skipped!, "");
                break;
        }

        var remarks = string.Join('\n', new[] { Lines(one.Warnings), one.Remark ?? "" }.Where(t => t.Length > 0));
        if (remarks.Length > 0) xml.WriteElementString("system-out", Clean(remarks));
        xml.WriteEndElement();
    }

    private static void Write(XmlWriter xml, string element, string? type, string message, string text)
    {
        xml.WriteStartElement(element);
        if (type is not null) Attribute(xml, "type", type);
        Attribute(xml, "message", message);
        if (text.Length > 0) xml.WriteString(Clean(text));
        xml.WriteEndElement();
    }

    private static void Attribute(XmlWriter xml, string name, string value) => xml.WriteAttributeString(name, Clean(value));

    private static string Lines(IEnumerable<Finding> findings) => string.Join('\n', findings.Select(f => Text.OneLine(f.ToString())));

    /// <summary>XML 1.0 has no way to write most control characters, nor half a surrogate pair: they become '?'.</summary>
    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var isLost = rune.Value is (< 0x20 and not '\n') or (>= 0x7f and <= 0x9f) or 0xfffd or 0xfffe or 0xffff;
            clean.Append(isLost ? "?" : rune.ToString());
        }

        return clean.ToString();
    }

    private sealed class Utf8StringWriter() : StringWriter(CultureInfo.InvariantCulture)
    {
        public override Encoding Encoding => Encoding.UTF8;
    }

    private enum CaseKind
    {
        Passed,
        Failed,
        Unknown,
        Skipped,
    }

    private sealed class Case(string name, IReadOnlyList<Finding> findings, string? skipped, string? unread)
    {
        public string Name { get; } = name;

        public string? Skipped { get; } = skipped;

        public string? Unread { get; } = unread;

        /// <summary>What a reader should know although the case passed.</summary>
        public string? Remark { get; init; }

        public List<Finding> Failures { get; } = [.. findings.Where(f => f is { Severity: Severity.Error, CouldNotCheck: false })];

        public List<Finding> Unknown { get; } = [.. findings.Where(f => f is { Severity: Severity.Error, CouldNotCheck: true })];

        public List<Finding> Warnings { get; } = [.. findings.Where(f => f.Severity == Severity.Warning)];

        public CaseKind Kind =>
            Failures.Count > 0 ? CaseKind.Failed
            : Unknown.Count > 0 || Unread is not null ? CaseKind.Unknown
            : Skipped is not null ? CaseKind.Skipped
            : CaseKind.Passed;
    }
}
