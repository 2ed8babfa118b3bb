using MeshTrust.Checks;
using MeshTrust.Verification;
using static MeshTrust.IO.Text;

namespace MeshTrust.Reporting;

/// <summary>
/// The report as one self-contained page for people: the mesh as a drawing, findings with their fixes, who trusts whom, chains and
/// lifetimes. It needs no network and no script, and loads nothing.
/// </summary>
internal static class HtmlReport
{
    /// <summary>Of findings with the same id, these are open; the others are in a closed part.</summary>
    private const int OpenFindings = 5;
    private const int MostLines = 100;
    private const string Policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
    private static readonly Lazy<Html> Style = new(ReadStyle);

    public static string Render(TrustReport report)
    {
        var view = new HtmlMesh(report);
        var findings = Findings(report);
        Html page = $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta http-equiv="Content-Security-Policy" content="{Policy}"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta name="referrer" content="no-referrer"/>
            <link rel="icon" href="data:,"/>
            <title>{Mark.Of(report.Outcome).Word}: trust of {report.Mesh}</title>
            <style>
            {Style.Value}</style>
            </head>
            <body>
            {Header(report)}
            <main>
            {findings}{Next(report)}{HtmlDrawing.Section(view)}{Matrices(report)}{HtmlChains.Section(view)}{HtmlChains.Lifetimes(view)}
            {Checks(report)}{Files(report)}</main>
            <footer><p>Written by MeshTrust. This page contains no key material and loads nothing.
            <a href="{Docs}/reading-the-report.md">What each part means</a></p></footer>
            </body>
            </html>

            """;
        return page.ToString();
    }

    /// <summary>The certificate that expires first; null if there is none.</summary>
    public static CertificateSummary? First(IEnumerable<CertificateSummary?> certificates) =>
        certificates.Aggregate((CertificateSummary?)null, (first, next) => first is null || next?.NotAfter < first.NotAfter ? next : first);

    private static Html ReadStyle()
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("MeshTrust.Reporting.report.css")!;
        using var reader = new StreamReader(stream);
        return Html.Raw(reader.ReadToEnd());
    }

    private static Html Header(TrustReport report)
    {
        var networks = report.Clusters.Select(c => c.Network).OfType<string>().Distinct().Count();
        var roots = ReportText.Roots(report);
        var first = First(report.Clusters.SelectMany(c => c.Roots.Concat(c.Chain).Append(c.Intermediate)));
        var sign = Mark.Of(report.Outcome);
        return $"""
            <header>
            <p class="brand">MeshTrust</p>
            <h1>Trust of {report.Mesh}</h1>
            <p class="verdict {sign.Css}"><strong>{sign.Icon} {sign.Word}</strong> {report.Verdict}</p>
            <dl class="tiles">
            {Tile("Clusters", $"{report.Clusters.Count}", networks > 0 ? $"in {Count(networks, "network")}" : "")}
            {Tile("Root CAs", $"{roots.Count}", roots.Count > 1 ? "more than one" : "")}
            {(report.IsAlone ? Html.None
                : Tile("Trusted pairs", $"{report.Matrix.Trusted}", $"of {report.Matrix.Pairs.Count}, by the secrets"))}
            {(!report.IsAlone && report.Live is { Matrix: { Pairs.Count: > 0 } live }
                ? Tile("Trusted pairs", $"{live.Trusted}", $"of {live.Pairs.Count}, in the running mesh") : Html.None)}
            {(first is null ? Html.None : Tile("First expiry", ReportText.Day(first.NotAfter), ReportText.Left(first.NotAfter, report.At)))}
            {Tile("Findings", $"{report.Errors + report.Warnings}",
                $"{Count(report.Errors, "error")}, {Count(report.Warnings, "warning")}")}
            </dl>
            <p class="quiet">Read {Time(report.At)}. {ReportText.CheckCounts(report)}.</p>
            </header>
            """;
    }

    private static Html Tile(string name, string figure, string rest) =>
        $"<div><dt>{name}</dt><dd><b>{figure}</b> <span>{rest}</span></dd></div>";

    private static Html Findings(TrustReport report)
    {
        var groups = report.Findings.OrderByDescending(f => f.Severity).GroupBy(f => $"{f.Severity} {f.Id}").ToList();
        if (groups.Count == 0) return Html.None;
        return $"""
            <section aria-labelledby="findings">
            <h2 id="findings">What to fix</h2>
            {groups.Select(Group)}</section>

            """;

        static Html Group(IGrouping<string, Finding> group)
        {
            var rest = group.Skip(OpenFindings).ToList();
            var more = rest.Count == 0 ? Html.None : (Html)$"""
                <details><summary>{rest.Count} more {rest[0].Id}</summary>
                <ul class="findings">{rest.Select(One)}</ul></details>

                """;
            return $"<ul class=\"findings\">\n{group.Take(OpenFindings).Select(One)}</ul>\n{more}";
        }

        static Html One(Finding finding)
        {
            var sign = finding.CouldNotCheck ? Mark.Unknown : finding.Severity == Severity.Error ? Mark.Error : Mark.Warning;
            var where = finding.Location.Replace(" -> ", " → ", StringComparison.Ordinal);
            return $"""
                <li class="{sign.Css}"><p><strong class="tag">{sign.Icon} {sign.Word}</strong> <code>{finding.Id}</code> <b>{where}</b></p>
                <p>{finding.Message}</p><p class="fix"><b>Fix:</b> {finding.Hint}</p></li>

                """;
        }
    }

    private static Html Next(TrustReport report)
    {
        if (report.Next.Count == 0) return Html.None;
        return $"""
            <section aria-labelledby="next">
            <h2 id="next">What to do next</h2>
            <ul>
            {report.Next.Select(step => (Html)$"<li>{step}</li>\n")}</ul>
            </section>

            """;
    }

    private static Html Matrices(TrustReport report)
    {
        const string Promise = "What the secrets promise";
        const string Running = "What the mesh does";
        var live = report.Live is null ? (Html)$"<h3>{Running}</h3>\n<p class=\"quiet\">Not looked at: no istiod was asked.</p>\n"
            : (Html)$"{Matrix(report, report.Live.Matrix, Running)}{Istiods(report.Live)}";
        return $"""
            <section aria-labelledby="pairs">
            <h2 id="pairs">Who trusts whom</h2>
            {(report.IsAlone ? Html.None
                : (Html)$"<p>Is a workload of the cluster in the row trusted in the cluster of the column?</p>")}
            <div class="{(report.Clusters.Count is > 4 and <= ReportText.LargestMatrix ? "rows" : "columns")}">
            <div>{Matrix(report, report.Matrix, Promise)}</div>
            <div>{live}</div>
            </div>
            </section>

            """;
    }

    private static Html Matrix(TrustReport report, TrustMatrix matrix, string title)
    {
        Html head = $"<h3>{title}</h3>\n";
        Html method = $"<p class=\"quiet\">{matrix.Method}</p>\n";
        if (matrix.Pairs.Count == 0) return $"{head}{method}";
        if (report.IsAlone)
        {
            var sign = Mark.Of(matrix.Pairs[0].Trusted);
            Html alone = $"<p class=\"{sign.Css}\">{sign.Icon} One cluster: its own workloads are {sign.Word}.</p>\n";
            return $"{head}{alone}{Broken(matrix)}{method}";
        }

        Html count = $"<p><b>{matrix.Trusted} of {matrix.Pairs.Count}</b> cluster pairs trust each other.</p>\n";
        if (report.Clusters.Count > ReportText.LargestMatrix) return $"{head}{count}{Broken(matrix)}{method}";
        var columns = report.Clusters.Select(c => (Html)$"<th scope=\"col\"><span>{c.Name}</span></th>");
        var rows = matrix.Pairs.GroupBy(p => p.From).Select(row =>
            (Html)$"<tr><th scope=\"row\">{row.Key}</th>{row.Select(p => Cell(Mark.Of(p.Trusted)))}</tr>\n");
        var css = report.Clusters.Count > 4 || report.Clusters.Any(c => c.Name.Length > 14) ? "matrix upright" : "matrix";
        return $"""
            {head}<div class="scroll" tabindex="0" role="region" aria-label="{title}">
            <table class="{css}"><caption class="hidden">{title}: is a workload of the row trusted in the column?</caption>
            <thead><tr><td></td>{columns}</tr></thead>
            <tbody>
            {rows}</tbody></table></div>
            {count}{Broken(matrix)}{method}
            """;
    }

    private static Html Cell(Mark sign) =>
        $"<td class=\"{sign.Css}\"><span aria-hidden=\"true\">{sign.Icon}</span><span class=\"hidden\">{sign.Word}</span></td>";

    /// <summary>The pairs that are not trusted: one line for all clusters with the same peers and the same reason.</summary>
    private static Html Broken(TrustMatrix matrix)
    {
        var rows = matrix.Pairs.Where(p => p.Trusted is not true)
            .GroupBy(p => $"{p.From}\n{p.Trusted}\n{p.Reason}").Select(r => r.ToList());
        var lines = rows.GroupBy(r => $"{r[0].Trusted}\n{r[0].Reason}\n{string.Join('\n', r.Select(p => p.To))}")
            .Select(l => l.ToList()).ToList();
        if (lines.Count == 0) return Html.None;
        return $"""
            <ul class="broken">
            {lines.Take(MostLines).Select(Line)}</ul>
            {(lines.Count > MostLines ? (Html)$"<p>{lines.Count - MostLines} more are in <code>summary.json</code>.</p>\n" : Html.None)}
            """;

        static Html Line(List<List<TrustPair>> alike)
        {
            var (pair, from, to) = (alike[0][0], Names([.. alike.Select(r => r[0].From)]), Names([.. alike[0].Select(p => p.To)], 8));
            var sign = Mark.Of(pair.Trusted);
            return $"""
                <li class="{sign.Css}"><b>{from} → {to}</b> {sign.Icon} {sign.Word}:
                <span class="quiet">{Sentence(pair.Reason ?? "no reason given")}</span></li>

                """;
        }
    }

    private static Html Istiods(LiveMesh live)
    {
        if (live.Istiods.Count == 0) return Html.None;
        Html table = $"""
            <div class="scroll" tabindex="0" role="region" aria-label="The istiods">
            <table><caption>What each istiod signs with</caption>
            <thead><tr><th scope="col">istiod of</th><th scope="col">signs with</th>
            <th scope="col">the CA of the secret?</th></tr></thead>
            <tbody>
            {live.Istiods.Select(Row)}</tbody></table></div>

            """;
        if (live.Istiods.Count <= ReportText.LargestMatrix) return table;
        return $"""
            <p>{Count(live.Istiods.Count, "istiod")}: {live.Istiods.Count(i => i.IsCurrent == true)} with the CA of the secret,
            {live.Istiods.Count(i => i.IsCurrent == false)} with another, {live.Istiods.Count(i => i.IsCurrent is null)} unknown.</p>
            <details><summary>All istiods</summary>
            {table}</details>

            """;

        static Html Row(IstiodReport istiod)
        {
            var sign = istiod.IsCurrent switch { true => Mark.Current, false => Mark.Pending, null => Mark.Unknown };
            var ca = istiod.SigningCa;
            var revision = istiod.Revision.Length == 0 ? "" : $"revision {istiod.Revision}";
            return $"""
                <tr><th scope="row">{istiod.Cluster} <small>{revision} {istiod.Pod}</small></th>
                <td>{ca?.Subject ?? "unknown"}<br/><small>{(ca is null ? "" : $"until {ReportText.Day(ca.NotAfter)}")}</small></td>
                <td class="{sign.Css}">{sign.Icon} {sign.Word}<br/><small>{istiod.Note}</small></td></tr>

                """;
        }
    }

    private static Html Checks(TrustReport report)
    {
        return $"""
            <section aria-labelledby="checks">
            <h2 id="checks">Checks</h2>
            <details class="print"><summary>{ReportText.CheckCounts(report)}</summary>
            <div class="scroll" tabindex="0" role="region" aria-label="All checks">
            <table><caption class="hidden">All checks</caption>
            <thead><tr><th scope="col">id</th><th scope="col">result</th><th scope="col">rule</th><th scope="col">source</th></tr></thead>
            <tbody>
            {report.Checks.Select(Row)}</tbody></table></div>
            </details>
            </section>

            """;

        static Html Row(CheckReport check)
        {
            var sign = Mark.Of(check.Outcome);
            var lacking = check.Unchecked.GroupBy(u => u.Reason)
                .Select(u => $"{Names([.. u.Select(c => c.Cluster)])} not checked: {u.Key}");
            return $"""
                <tr><th scope="row"><code>{check.Id}</code></th><td class="{sign.Css}">{sign.Icon}&#160;{sign.Word}</td>
                <td>{check.Title}<br/><small>{string.Join("; ", lacking.Prepend(check.Note ?? "").Where(t => t.Length > 0))}</small></td>
                <td><small>{check.Source}</small></td></tr>

                """;
        }
    }

    private static Html Files(TrustReport report)
    {
        var drift = ReportText.Differing(report).GroupBy(d => $"{d.Cluster}\n{d.Detail}").Select(d => d.ToList()).ToList();
        if (drift.Count == 0) return Html.None;
        return $"""
            <section aria-labelledby="files">
            <h2 id="files">Files that differ from the clusters</h2>
            <details class="print"><summary>{Count(drift.Sum(d => d.Count), "file")}</summary>
            <ul>
            {drift.Select(d => (Html)$"<li><b>{d[0].Cluster}/{string.Join(", ", d.Select(f => f.File))}:</b> {d[0].Detail}</li>\n")}</ul>
            </details>
            </section>

            """;
    }
}
