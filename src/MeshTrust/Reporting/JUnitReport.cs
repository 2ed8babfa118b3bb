using System.Globalization;
using System.Text;
using System.Xml;
using MeshTrust.Checks;
using MeshTrust.IO;

namespace MeshTrust.Reporting;

/// <summary>
/// The report as JUnit XML: a suite for each check, a case for each cluster (for MT5002: for each cluster pair, up to 100 pairs). An error
/// is a <c>failure</c>, an unreadable object an <c>error</c>, a check that does not apply <c>skipped</c>, and a warning
/// <c>system-out</c>.
/// </summary>
internal static class JUnitReport
{
    /// <summary>The report as XML 1.0 in UTF-8, ending in one line break.</summary>
    public static string Render(TrustReport report)
    {
        var suites = report.Checks.Select(check => (Check: check, Cases: Cases(check, report).ToList())).ToList();
        using var text = new Utf8StringWriter();
        // Characters that XML cannot represent were already replaced, so the writer does not have to throw.
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
        if (check.Outcome == CheckOutcome.NotApplicable) return [new Case("mesh", []) { Skipped = check.Note ?? "not applicable" }];
        var general = check.Findings.Where(f => f.Cluster is null).ToList();
        return check.Id == ProblemCodes.PairNotTrusted && report.Matrix.Pairs.Count is > 0 and <= 100
            ? [.. Mesh(general), .. Pairs(check, report)]
            : [.. Mesh(general), .. Clusters(check, report)];
    }

    private static IEnumerable<Case> Mesh(List<Finding> findings) => findings.Count > 0 ? [new Case("mesh", findings)] : [];

    private static IEnumerable<Case> Pairs(CheckReport check, TrustReport report)
    {
        var found = check.Findings.Where(f => f.Cluster is not null).ToLookup(f => (f.Cluster!, f.Peer ?? f.Cluster!));
        return report.Matrix.Pairs.Select(pair => new Case($"{pair.From} -> {pair.To}", [.. found[(pair.From, pair.To)]])
        {
            Unread = pair.Trusted is null ? pair.Reason ?? "could not be read" : null,
            Remark = report.IsAlone && pair.Trusted == true ? report.Verdict : null,
        });
    }

    private static IEnumerable<Case> Clusters(CheckReport check, TrustReport report) =>
        from cluster in report.Clusters
        let lacking = check.Unchecked.FirstOrDefault(u => u.Cluster == cluster.Name)
        select new Case(cluster.Name, [.. check.Findings.Where(f => f.Cluster == cluster.Name)])
        {
            Skipped = lacking is { Unread: false } ? lacking.Reason : null,
            Unread = lacking is { Unread: true } ? lacking.Reason : null,
        };

    private static void WriteCounts(XmlWriter xml, IEnumerable<Case> cases)
    {
        var elements = cases.Select(c => c.Element).ToList();
        Attribute(xml, "tests", $"{elements.Count}");
        Attribute(xml, "failures", $"{elements.Count(e => e == Case.Failure)}");
        Attribute(xml, "errors", $"{elements.Count(e => e == Case.Error)}");
        Attribute(xml, "skipped", $"{elements.Count(e => e == Case.Skip)}");
        Attribute(xml, "time", "0");
    }

    private static void Write(XmlWriter xml, string id, Case one)
    {
        xml.WriteStartElement("testcase");
        Attribute(xml, "classname", $"MeshTrust.{id}");
        Attribute(xml, "name", one.Name);
        Attribute(xml, "time", "0");
        if (one.Element is { } element)
        {
            var findings = element == Case.Failure ? one.Failures : one.Unknown;
            xml.WriteStartElement(element);
            if (element != Case.Skip) Attribute(xml, "type", id);
            Attribute(xml, "message", findings.Count > 0 ? findings[0].Message : one.Skipped ?? $"could not check: {one.Unread}");
            if (findings.Count > 0) xml.WriteString(Clean(Lines(findings)));
            xml.WriteEndElement();
        }

        var remarks = string.Join('\n', new[] { Lines(one.Warnings), one.Remark ?? "" }.Where(t => t.Length > 0));
        if (remarks.Length > 0) xml.WriteElementString("system-out", Clean(remarks));
        xml.WriteEndElement();
    }

    private static void Attribute(XmlWriter xml, string name, string value) => xml.WriteAttributeString(name, Clean(value));

    private static string Lines(IEnumerable<Finding> findings) => string.Join('\n', findings.Select(f => Text.OneLine(f.ToString())));

    /// <summary>XML 1.0 cannot represent most control characters or unpaired surrogates: they become '?'.</summary>
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

    private sealed class Case(string name, IReadOnlyList<Finding> findings)
    {
        public const string Failure = "failure";
        public const string Error = "error";
        public const string Skip = "skipped";

        public string Name => name;

        public string? Skipped { get; init; }

        public string? Unread { get; init; }

        /// <summary>A note for the reader although the case passed.</summary>
        public string? Remark { get; init; }

        public List<Finding> Failures { get; } = [.. findings.Where(f => f is { Severity: Severity.Error, CouldNotCheck: false })];

        public List<Finding> Unknown { get; } = [.. findings.Where(f => f is { Severity: Severity.Error, CouldNotCheck: true })];

        public List<Finding> Warnings { get; } = [.. findings.Where(f => f.Severity == Severity.Warning)];

        /// <summary>The element for a case that did not pass; null if it passed.</summary>
        public string? Element =>
            Failures.Count > 0 ? Failure
            : Unknown.Count > 0 || Unread is not null ? Error
            : Skipped is not null ? Skip
            : null;
    }
}
