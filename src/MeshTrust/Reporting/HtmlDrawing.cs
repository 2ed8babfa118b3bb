using MeshTrust.Checks;
using static MeshTrust.IO.Text;

namespace MeshTrust.Reporting;

/// <summary>
/// What the drawing, the chains and the time line show. In a large mesh, clusters of one network that have the same roots and trust
/// themselves alike are one group.
/// </summary>
internal sealed class HtmlMesh
{
    private const int MostGroups = 12;
    private readonly Tally[][] _pairs;

    public HtmlMesh(TrustReport report)
    {
        Report = report;
        Roots = ReportText.Roots(report);
        var self = report.Matrix.Pairs.Where(p => p.From == p.To).ToDictionary(p => p.From, p => p.Trusted);
        var isLarge = report.Clusters.Count > ReportText.LargestMatrix;
        var groups = report.Clusters
            .GroupBy(c => !isLarge ? c.Name : $"{c.Network}\n{Labels(c)}\n{self.GetValueOrDefault(c.Name)}")
            .Select(g => g.ToList()).ToList();
        // The networks in the order of their first cluster; of too many groups, the largest.
        var networks = report.Clusters.Select(c => c.Network ?? "").Distinct().ToList();
        Groups = [.. groups.OrderByDescending(g => g.Count).Take(MostGroups).OrderBy(g => networks.IndexOf(g[0].Network ?? ""))];
        Hidden = report.Clusters.Count - Groups.Sum(g => g.Count);
        _pairs = [.. Groups.Select(_ => Groups.Select(_ => new Tally()).ToArray())];
        Count();
    }

    public TrustReport Report { get; }
    public IReadOnlyList<LabelledRoot> Roots { get; }
    public IReadOnlyList<IReadOnlyList<ClusterReport>> Groups { get; }

    /// <summary>The number of clusters that are in no group, because there would be too many groups to draw.</summary>
    public int Hidden { get; }

    /// <summary>How many pairs of two groups, in one direction, are trusted, are not, and could not be tested.</summary>
    public Tally Pairs(int from, int to) => _pairs[from][to];

    public string? Label(CertificateSummary root) => Roots.FirstOrDefault(r => r.Root.Sha256 == root.Sha256)?.Label;

    /// <summary>The letters of the roots that a cluster trusts, such as <c>A+B</c>.</summary>
    public string Labels(ClusterReport cluster) => string.Join('+', cluster.Roots.Select(Label));

    public bool IsPending(ClusterReport cluster) =>
        Report.Live?.Istiods.Any(i => i.Cluster == cluster.Name && i.IsCurrent == false) == true;

    // A pair counts as trusted if the secrets say so and the running mesh, where it was asked, does not disagree.
    private void Count()
    {
        var at = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < Groups.Count; i++)
        {
            foreach (var cluster in Groups[i]) at[cluster.Name] = i;
        }

        var refused = Report.Live?.Matrix.Pairs.Where(p => p.Trusted == false).Select(p => $"{p.From}\n{p.To}").ToHashSet() ?? [];
        foreach (var pair in Report.Matrix.Pairs)
        {
            if (!at.TryGetValue(pair.From, out var from) || !at.TryGetValue(pair.To, out var to)) continue;
            _pairs[from][to].Add(refused.Count > 0 && refused.Contains($"{pair.From}\n{pair.To}") ? false : pair.Trusted);
        }
    }
}

/// <summary>How many pairs are trusted, are not, and could not be tested.</summary>
internal sealed class Tally
{
    public int Good { get; private set; }
    public int Bad { get; private set; }
    public int Unknown { get; private set; }

    public void Add(bool? trusted)
    {
        if (trusted is null) Unknown++;
        else if (trusted == true) Good++;
        else Bad++;
    }
}

/// <summary>
/// The mesh as a drawing: a vertical line for each root, a box for each cluster inside its network, and an arc for each pair of clusters.
/// A cluster has a dot on the line of every root that it trusts.
/// </summary>
internal static class HtmlDrawing
{
    private const int MostLanes = 8;
    private const int Lane = 26;
    private const int Box = 248;
    private const int Height = 52;
    private const int Pitch = 66;
    private const int Padding = 12;

    /// <summary>With more boxes, arcs that say that all is well would hide the others.</summary>
    private const int MostWithAllArcs = 6;

    private static readonly Mark Mutual = Mark.Trusted with { Word = "trust each other" };

    public static Html Section(HtmlMesh view)
    {
        var report = view.Report;
        var isLarge = report.Clusters.Count > ReportText.LargestMatrix;
        var hasLive = report.Live is { Matrix.Pairs.Count: > 0 };
        return $"""
            <section aria-labelledby="mesh">
            <h2 id="mesh">The mesh</h2>
            <div class="picture">
            <div class="scroll" tabindex="0" role="region" aria-label="Drawing of the mesh">
            {Drawing(view)}</div>
            <div class="legend">
            <h3>How to read it</h3>
            <ul>
            <li>A vertical line is a <b>root CA</b>. Clusters on the same line share it.</li>
            <li>A <b>filled dot</b>: the cluster's signing CA leads to this root. A <b>ring</b>: the cluster trusts the root, but signs
            under another one.</li>
            <li>A box is {(isLarge ? "a group of clusters with the same network and roots" : "a cluster")}, a frame is a network.
            The sign in a box says whether its own workloads trust each other.</li>
            {(view.Groups.Count < 2 ? Html.None : (Html)$"""
                <li>An <b>arc</b> joins two boxes: <b>✓</b> they trust each other, <b>✗</b> neither trusts the other,
                <b>↓</b> or <b>↑</b> only workloads that call in this direction are trusted,
                <b>~</b> some pairs are trusted, <b>?</b> could not be tested.
                {(view.Groups.Count > MostWithAllArcs ? "Two boxes without an arc trust each other." : "")}
                Trusted means: the secrets promise it{(hasLive ? ", and the running mesh does not disagree" : "")}.</li>

                """)}</ul>
            {(view.Hidden > 0 ? (Html)$"<p>{view.Hidden} more clusters are in smaller groups, which are not drawn.</p>\n" : Html.None)}
            {(view.Roots.Count > MostLanes ? (Html)$"<p>{view.Roots.Count - MostLanes} more roots are not drawn.</p>\n" : Html.None)}
            </div>
            </div>
            </section>

            """;
    }

    private static Html Drawing(HtmlMesh view)
    {
        var lanes = view.Roots.Take(MostLanes).ToList();
        var left = Math.Max(1, lanes.Count) * Lane;
        var right = left + Box + (2 * Padding);
        var hasNetworks = view.Report.Clusters.Any(c => c.Network is not null);
        var (centres, frames) = (new List<int>(), new List<Frame>());
        var bottom = Place(view, hasNetworks, (lanes.Count * 24) + 18, centres, frames);
        var arcs = Arcs(view, centres, right - Padding).ToList();
        var width = right + (arcs.Count == 0 ? 2 : 4 + (18 * centres.Count));
        return $"""
            <svg class="mesh" role="img" aria-labelledby="mesh-title" aria-describedby="mesh-text"
            viewBox="0 0 {width} {bottom}" width="{width}" style="min-width:{0.85 * width}px">
            <title id="mesh-title">Clusters, networks and who trusts whom</title>
            <desc id="mesh-text">{Description(view)}</desc>
            {frames.Select(f => (Html)$"""
                <g><rect class="network" x="{left}" y="{f.Top}" width="{right - left}" height="{f.Bottom - f.Top}" rx="10"/>
                <text class="name" x="{left + Padding}" y="{f.Top + 19}">{Short(f.Name, 34)}</text></g>

                """)}
            {lanes.Select((root, i) => LaneOf(view, root, i, left, centres))}
            {arcs}
            {view.Groups.Select((group, i) => BoxOf(view, group, i, left + Padding, centres[i]))}
            {view.Groups.SelectMany((group, i) => Dots(lanes, group[0], left + Padding, centres[i]))}</svg>

            """;
    }

    /// <summary>Finds the middle of every box and the frames around them; returns the height of the drawing.</summary>
    private static int Place(HtmlMesh view, bool framed, int y, List<int> centres, List<Frame> frames)
    {
        foreach (var network in view.Groups.GroupBy(g => g[0].Network ?? ""))
        {
            var top = y;
            if (framed) y += 30;
            foreach (var _ in network)
            {
                centres.Add(y + (Height / 2));
                y += Pitch;
            }

            if (framed) frames.Add(new Frame(Title(network.Key), top, y - 2));
            y += framed ? 12 : 0;
        }

        return y;
    }

    private static Html LaneOf(HtmlMesh view, LabelledRoot root, int lane, int left, List<int> centres)
    {
        var (x, y) = ((lane * Lane) + 12, (lane * 24) + 14);
        var end = y;
        for (var i = 0; i < centres.Count; i++)
        {
            if (Holds(view.Groups[i][0], root.Root)) end = centres[i];
        }

        var until = root.Root.NotAfter < view.Report.At ? "✗ expired" : "until";
        return $"""
            <g class="lane{lane}"><path class="lane" d="M{x} {y}V{end}"/><path class="lane thin" d="M{x} {y}H{left}"/>
            <rect class="station" x="{x - 9}" y="{y - 9}" width="18" height="18" rx="4"/>
            <text class="letter" x="{x}" y="{y + 4}">{root.Label}</text>
            <text class="root" x="{left + 6}" y="{y + 4}">Root {root.Label}, {until} {ReportText.Day(root.Root.NotAfter)}</text></g>

            """;
    }

    private static IEnumerable<Html> Dots(List<LabelledRoot> lanes, ClusterReport cluster, int box, int y)
    {
        for (var i = 0; i < lanes.Count; i++)
        {
            var (x, signs) = ((i * Lane) + 12, Signs(cluster, lanes[i].Root));
            if (!signs && !Holds(cluster, lanes[i].Root)) continue;
            var means = signs ? "signs under" : "trusts";
            yield return $"""
                <g class="lane{i}"><title>{cluster.Name} {means} root {lanes[i].Label}</title><path class="lane thin" d="M{x} {y}H{box}"/>
                <circle class="{(signs ? "dot" : "ring")}" cx="{x}" cy="{y}" r="9"/>
                <text class="letter" x="{x}" y="{y + 4}">{lanes[i].Label}</text></g>

                """;
        }
    }

    private static Html BoxOf(HtmlMesh view, IReadOnlyList<ClusterReport> group, int index, int x, int y)
    {
        var cluster = group[0];
        var title = group.Count == 1 ? cluster.Name : IO.Text.Count(group.Count, "cluster");
        var first = HtmlReport.First(group.Select(c => c.Intermediate));
        var pending = group.Count(view.IsPending);
        var end = first is null ? "no signing CA"
            : $"{(first.NotAfter < view.Report.At ? "expired" : "until")} {ReportText.Day(first.NotAfter)}";
        var second = group.Count > 1 ? Names([.. group.Select(c => c.Name)], 1) : end;
        var sign = Sign(view.Pairs(index, index), new Tally());
        return $"""
            <g><title>{Names([.. group.Select(c => c.Name)], 12)}: own workloads {sign.Word}; {end}</title>
            <rect class="cluster {sign.Css}" x="{x}" y="{y - (Height / 2)}" width="{Box}" height="{Height}" rx="8"/>
            <text class="name" x="{x + 12}" y="{y - 5}">{Short(title, 23)}</text>
            <text class="note" x="{x + 12}" y="{y + 14}">{Short(pending > 0 ? $"{end}, reload pending" : second, 33)}</text>
            <text class="sign {sign.Css}" x="{x + Box - 18}" y="{y - 3}">{sign.Icon}</text></g>

            """;
    }

    private static IEnumerable<Html> Arcs(HtmlMesh view, List<int> centres, int x)
    {
        // The widest first, so that the marks of short arcs are on top.
        for (var distance = centres.Count - 1; distance > 0; distance--)
        {
            for (var i = 0; i + distance < centres.Count; i++)
            {
                var (down, up) = (view.Pairs(i, i + distance), view.Pairs(i + distance, i));
                var sign = Sign(down, up);
                if (ReferenceEquals(sign, Mutual) && centres.Count > MostWithAllArcs) continue;
                var reach = Padding + 6 + (18 * distance);
                var (from, to) = (centres[i] + 8, centres[i + distance] - 8);
                var middle = (from + to) / 2.0;
                yield return $"""
                    <g class="{sign.Css}"><title>{Name(i)} and {Name(i + distance)}: {sign.Word}</title>
                    <path class="arc" d="M{x} {from}C{x + (reach / 0.75)} {from} {x + (reach / 0.75)} {to} {x} {to}"/>
                    <circle class="bead" cx="{x + reach}" cy="{middle}" r="9"/>
                    <text class="letter" x="{x + reach}" y="{middle + 4}">{sign.Icon}</text></g>

                    """;
            }
        }

        string Name(int i) => Names([.. view.Groups[i].Select(c => c.Name)], 3);
    }

    private static Mark Sign(Tally down, Tally up)
    {
        var (good, bad, unknown) = (down.Good + up.Good, down.Bad + up.Bad, down.Unknown + up.Unknown);
        return (good, bad, unknown) switch
        {
            ( > 0, 0, 0) => Mutual,
            (0, > 0, _) => Mark.NotTrusted with { Word = "do not trust each other" },
            (_, 0, > 0) or (0, 0, 0) => Mark.Untested with { Word = "not all could be tested" },
            _ when down is { Bad: 0, Good: > 0 } && up.Good == 0 => new("bad", "↓", "only the first is trusted in the second"),
            _ when up is { Bad: 0, Good: > 0 } && down.Good == 0 => new("bad", "↑", "only the second is trusted in the first"),
            _ => new("bad", "~", $"{good} of {good + bad + unknown} pairs trust"),
        };
    }

    private static string Description(HtmlMesh view)
    {
        var report = view.Report;
        var networks = report.Clusters.GroupBy(c => c.Network ?? "").Select(g =>
            $"{(g.Key.Length == 0 ? "Without a network" : $"In network {g.Key}")}: {Names([.. g.Select(c => c.Name)], 12)}.");
        var roots = view.Roots.Take(MostLanes).Select(r =>
            $"Root {r.Label} is trusted by {Names([.. report.Clusters.Where(c => Holds(c, r.Root)).Select(c => c.Name)], 12)}.");
        return string.Join(' ', networks.Concat(roots).Append("The tables below say which clusters trust which."));
    }

    private static bool Holds(ClusterReport cluster, CertificateSummary root) => cluster.Roots.Any(r => r.Sha256 == root.Sha256);

    private static bool Signs(ClusterReport cluster, CertificateSummary root) =>
        (cluster.Chain.Count > 0 ? cluster.Chain[^1] : cluster.Intermediate)?.Sha256 == root.Sha256;

    private static string Title(string network) =>
        network.Length == 0 ? "No network"
        : network.StartsWith("network", StringComparison.OrdinalIgnoreCase) ? network : $"Network {network}";

    private static string Short(string text, int longest) => text.Length > longest ? text[..(longest - 1)] + "…" : text;

    private sealed record Frame(string Name, int Top, int Bottom);
}
