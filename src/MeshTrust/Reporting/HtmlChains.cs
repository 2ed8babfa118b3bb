using MeshTrust.Checks;
using static MeshTrust.IO.Text;

namespace MeshTrust.Reporting;

/// <summary>The chain of each cluster, and the lifetimes of all certificates on one time line.</summary>
internal static class HtmlChains
{
    /// <summary>The most rows of the time line: those that expire first.</summary>
    private const int MostBars = 20;

    /// <summary>The years before and after the report that the time line can show.</summary>
    private const int LongestAxis = 40;

    public static Html Section(HtmlMesh view)
    {
        var clusters = view.Report.Clusters;
        var isLarge = clusters.Count > ReportText.LargestMatrix;
        return $"""
            <section aria-labelledby="chains">
            <h2 id="chains">The chain of each cluster</h2>
            <p>A workload's certificate is trusted if this chain leads to a root that the other cluster trusts too.</p>
            {(isLarge ? Summary(view) : $"<div class=\"cards\">\n{clusters.Select(c => Card(view, c))}</div>")}
            </section>

            """;
    }

    public static Html Lifetimes(HtmlMesh view)
    {
        var bars = Bars(view).OrderBy(b => b.To.UtcTicks).ToList();
        if (bars.Count == 0) return Html.None;
        var at = view.Report.At;
        // A certificate may be valid until 9999: the axis ends before that, its row has the date.
        var (from, to) = (at, at.AddYears(1));
        foreach (var bar in bars)
        {
            if (bar.From < from && bar.From > at.AddYears(-LongestAxis)) from = bar.From.Value;
            if (bar.To > to && bar.To < at.AddYears(LongestAxis)) to = bar.To;
        }

        var span = (to - from).TotalDays * 1.02;
        double X(DateTimeOffset time) => Math.Clamp((time - from).TotalDays / span * 100, 0, 100);
        return $"""
            <section aria-labelledby="lifetimes">
            <h2 id="lifetimes">Lifetimes</h2>
            <p>The vertical line is the day of this report. In the lighter end of a bar Verify warns:
            the last {(int)ChainChecks.LeastOfRoot.TotalDays} days of a root, the last {(int)ChainChecks.LeastOfIntermediate.TotalDays} days
            of another CA, or earlier with <code>--renew-before</code>. If another program such as cert-manager renews a CA, it is the last
            quarter.</p>
            <svg class="axis" aria-hidden="true" width="100%" height="22">
            {Ticks(from, from.AddDays(span), X)}
            </svg>
            <ul class="lifetimes">
            {bars.Take(MostBars).Select(bar => Row(bar, at, X))}</ul>
            {(bars.Count > MostBars ? (Html)$"<p>{bars.Count - MostBars} more lines expire later.</p>\n" : Html.None)}
            </section>

            """;
    }

    private static Html Card(HtmlMesh view, ClusterReport cluster)
    {
        var ca = cluster.Intermediate;
        var isOne = cluster.Chain.Count == 0 && ca is not null && view.Label(ca) is not null;
        var top = cluster.Chain.Count > 0 ? cluster.Chain[^1] : ca;
        var others = cluster.Roots.Where(r => r.Sha256 != top?.Sha256).Select(r => $"Root {view.Label(r)}").ToList();
        return $"""
            <article class="card">
            <h3>{cluster.Name}{(cluster.Network is { } network ? (Html)$" <small>in {network}</small>" : Html.None)}</h3>
            {(ca is null ? (Html)$"<p class=\"bad\">✗ There is no signing CA, or it could not be read.</p>" : (Html)$"""
                <ol class="chain" aria-label="From the root to the workloads">
                {(top is null || view.Label(top) is not null ? Html.None
                    : (Html)$"<li class=\"bad\">✗ The chain does not reach a root</li>")}
                {cluster.Chain.Reverse().Select(c => Link(view, c, "CA"))}
                {Link(view, ca, isOne ? "Signs without an intermediate" : "Signing CA")}
                <li>Certificates of workloads</li></ol>
                """)}
            <dl>
            {(others.Count == 0 ? Html.None : Fact("Also trusts", string.Join(", ", others)))}
            {Fact("Context", cluster.Context)}{Fact("API server", cluster.Server ?? "unknown")}{Fact("Secret", Secret(view, cluster))}
            {(ca is null ? Html.None : (Html)$"{Fact("Serial", ca.SerialNumber)}{Fact("SHA-256", ca.Sha256)}")}</dl></article>

            """;
    }

    private static Html Link(HtmlMesh view, CertificateSummary ca, string role)
    {
        var name = view.Label(ca) is { } label ? $"Root {label}" : role;
        var end = ReportText.Day(ca.NotAfter);
        return ca.NotAfter < view.Report.At
            ? (Html)$"<li class=\"bad\"><b>{name}</b> {ca.Subject} <small>✗ expired {end}</small></li>\n"
            : (Html)$"<li><b>{name}</b> {ca.Subject} <small>until {end}</small></li>\n";
    }

    private static Html Fact(string name, string text) => $"<div><dt>{name}</dt><dd>{text}</dd></div>\n";

    private static string Secret(HtmlMesh view, ClusterReport cluster)
    {
        var age = cluster.SecretCreatedAt is { } created ? $"created {Duration(view.Report.At - created)} ago"
            : cluster.SecretVersion is { } version ? $"version {version}" : "none";
        return cluster.ManagedBy is { } keeper ? $"{age}, managed by {keeper}" : age;
    }

    /// <summary>A large mesh: a line for all clusters with the same CAs above them, and a table of all clusters.</summary>
    private static Html Summary(HtmlMesh view)
    {
        string Chain(ClusterReport cluster) => string.Join(" → ", cluster.Chain.Reverse()
            .Select(ca => view.Label(ca) is { } label ? $"Root {label}" : ca.Subject)
            .Append(cluster.Intermediate is null ? "no signing CA" : "a signing CA for each"));
        var alike = view.Report.Clusters
            .GroupBy(c => $"{Chain(c)}. Trusted roots: {(c.Roots.Count == 0 ? "none" : view.Labels(c))}.").ToList();
        return $"""
            <ul>
            {alike.OrderByDescending(g => g.Count()).Take(MostBars).Select(g =>
                (Html)$"<li><b>{Count(g.Count(), "cluster")}</b> ({Names([.. g.Select(c => c.Name)])}): {g.Key}</li>\n")}</ul>
            <details><summary>All {view.Report.Clusters.Count} clusters</summary>
            <div class="scroll" tabindex="0" role="region" aria-label="All clusters">
            <table><caption class="hidden">The signing CA of each cluster</caption>
            <thead><tr><th scope="col">cluster</th><th scope="col">network</th><th scope="col">roots</th><th scope="col">signing CA</th>
            <th scope="col">until</th><th scope="col">serial</th><th scope="col">secret</th></tr></thead>
            <tbody>
            {view.Report.Clusters.Select(c => (Html)$"""
                <tr><th scope="row">{c.Name}</th><td>{c.Network}</td><td>{view.Labels(c)}</td><td>{c.Intermediate?.Subject ?? "none"}</td>
                <td class="day">{(c.Intermediate is { } ca ? ReportText.Day(ca.NotAfter) : "")}</td>
                <td><small>{c.Intermediate?.SerialNumber}</small></td>
                <td>{Secret(view, c)}</td></tr>

                """)}</tbody></table></div>
            </details>

            """;
    }

    /// <summary>A bar for each root, and one for all other CAs of the same kind that live from one day to another.</summary>
    private static IEnumerable<Bar> Bars(HtmlMesh view)
    {
        foreach (var (label, root) in view.Roots)
            yield return new Bar($"Root {label}", root.NotBefore, root.NotAfter, Before(root.NotAfter, ChainChecks.LeastOfRoot));
        var others = view.Report.Clusters
            .SelectMany(c => c.Chain.Append(c.Intermediate).OfType<CertificateSummary>().Where(ca => view.Label(ca) is null)
                .Select(ca => new Issued(c, ca, ca == c.Intermediate ? "Signing CA" : "CA above the signing CA")))
            .GroupBy(i => $"{i.Kind}\n{i.Cluster.ManagedBy}\n{i.Ca.NotBefore:yyyyMMdd}\n{i.Ca.NotAfter:yyyyMMdd}").Select(g => g.ToList());
        foreach (var alike in others)
        {
            var first = HtmlReport.First(alike.Select(i => i.Ca))!;
            // As the check of the remaining lifetime warns (MT5012).
            var warning = alike[0].Cluster.ManagedBy is null ? ChainChecks.LeastOfIntermediate
                : (first.NotAfter - (first.NotBefore ?? first.NotAfter)) / 4;
            var names = Names([.. alike.Select(i => i.Cluster.Name).Distinct()]);
            yield return new Bar($"{alike[0].Kind} of {names}", first.NotBefore, first.NotAfter, Before(first.NotAfter, warning));
        }
    }

    private static Html Row(Bar bar, DateTimeOffset at, Func<DateTimeOffset, double> x)
    {
        var begin = bar.From ?? at;
        var warns = bar.Warns < begin ? begin : bar.Warns;
        var sign = bar.To < at ? "bad" : bar.Warns <= at ? "warn" : "ok";
        var state = bar.To < at ? "✗ " : bar.Warns <= at ? "! " : "";
        var dates = $"{(bar.From is { } from ? $"{ReportText.Day(from)} to " : "until ")}{ReportText.Day(bar.To)}";
        var warning = bar.Warns > at ? $" Verify warns from {ReportText.Day(bar.Warns)}." : "";
        return $"""
            <li class="{sign}"><p><b>{bar.Name}</b> <span>{dates}, {state}{Expiry(bar.To, at)}.{warning}</span></p>
            <svg aria-hidden="true" width="100%" height="18">
            <rect class="life" x="{x(begin)}%" width="{x(bar.To) - x(begin)}%" y="3" height="12" rx="3"/>
            <rect class="end" x="{x(warns)}%" width="{x(bar.To) - x(warns)}%" y="3" height="12" rx="3"/>
            <line x1="{x(at)}%" x2="{x(at)}%" y1="0" y2="18"/></svg></li>

            """;
    }

    private static DateTimeOffset Before(DateTimeOffset end, TimeSpan span) =>
        end - DateTimeOffset.MinValue > span ? end - span : DateTimeOffset.MinValue;

    private static string Expiry(DateTimeOffset to, DateTimeOffset at) =>
        to < at ? ReportText.Left(to, at) : $"expires {ReportText.Left(to, at)}";

    /// <summary>Up to seven dates on the axis: the beginnings of years, or of months.</summary>
    private static IEnumerable<Html> Ticks(DateTimeOffset from, DateTimeOffset to, Func<DateTimeOffset, double> x)
    {
        int[] steps = [1, 2, 3, 6, 12, 24, 60, 120, 240];
        var months = (to - from).TotalDays / 30.4;
        var step = Array.Find(steps, s => months / s <= 7);
        var tick = new DateTimeOffset(from.Year, step >= 12 ? 1 : from.Month, 1, 0, 0, 0, TimeSpan.Zero);
        for (; tick < to; tick = tick.AddMonths(step))
        {
            var at = x(tick);
            if (at is > 3 and < 96)
                yield return $"""
                    <line x1="{at}%" x2="{at}%" y1="16" y2="22"/>
                    <text x="{at}%" y="12">{ReportText.Day(tick)[..(step >= 12 ? 4 : 7)]}</text>
                    """;
        }
    }

    private sealed record Bar(string Name, DateTimeOffset? From, DateTimeOffset To, DateTimeOffset Warns);

    private sealed record Issued(ClusterReport Cluster, CertificateSummary Ca, string Kind);
}
