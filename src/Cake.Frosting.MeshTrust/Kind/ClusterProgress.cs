using System.Globalization;
using MeshTrust;
using MeshTrust.Settings;
using Spectre.Console;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>One step of one cluster, reported as it begins.</summary>
internal sealed record ClusterProgress(ClusterName Cluster, string Step, ClusterProgressState State = ClusterProgressState.Working);

/// <summary>The state of a cluster in a run.</summary>
internal enum ClusterProgressState
{
    Waiting,
    Working,
    Done,
    Failed,
}

/// <summary>What a watcher sees of one cluster.</summary>
internal sealed record ClusterRow(ClusterProgress Last, TimeSpan InStep, TimeSpan InAll);

/// <summary>Collects the steps of all clusters, to be shown as rows of a table or as lines of a log.</summary>
internal sealed class ClusterBoard(TimeProvider time) : IProgress<ClusterProgress>
{
    private static readonly TimeSpan BetweenSigns = TimeSpan.FromSeconds(30);
    private readonly Lock _lock = new();
    private readonly List<ClusterName> _order = [];
    private readonly Dictionary<ClusterName, Entry> _entries = [];
    private readonly List<string> _lines = [];
    private readonly List<Problem> _warnings = [];

    public void Report(ClusterProgress value)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var before = _entries.GetValueOrDefault(value.Cluster);
            if (before?.Last == value) return;
            if (before is null) _order.Add(value.Cluster);
            var begun = before is null || before.Last.State == ClusterProgressState.Waiting ? now : before.Begun;
            _entries[value.Cluster] = new Entry(value, begun, now, now);
            if (value.State != ClusterProgressState.Waiting) _lines.Add(Line(value.Cluster, value.Step));
        }
    }

    /// <summary>Keeps a warning until it can be shown: a line in the middle of a live table would be lost.</summary>
    public void Warn(Problem warning)
    {
        lock (_lock)
        {
            if (!_warnings.Contains(warning)) _warnings.Add(warning);
        }
    }

    public IReadOnlyList<Problem> TakeWarnings()
    {
        lock (_lock)
        {
            Problem[] taken = [.. _warnings];
            _warnings.Clear();
            return taken;
        }
    }

    /// <summary>One row for each reported cluster, in the order of their first report.</summary>
    public IReadOnlyList<ClusterRow> Rows()
    {
        lock (_lock) return [.. _order.Select(name => RowOf(_entries[name]))];
    }

    /// <summary>
    /// The lines since the last call, each with its time of day (UTC); a long step is repeated from time to time.
    /// </summary>
    public IReadOnlyList<string> TakeLines()
    {
        lock (_lock)
        {
            foreach (var name in _order)
            {
                var entry = _entries[name];
                if (entry.Last.State != ClusterProgressState.Working || time.GetElapsedTime(entry.Reported) < BetweenSigns) continue;
                _entries[name] = entry with { Reported = time.GetTimestamp() };
                _lines.Add(Line(name, $"{entry.Last.Step} ({time.GetElapsedTime(entry.Stepped).TotalSeconds:0} s so far)"));
            }

            string[] taken = [.. _lines];
            _lines.Clear();
            return taken;
        }
    }

    private string Line(ClusterName cluster, string step) =>
        $"{time.GetUtcNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture)}Z {cluster}: {step}";

    private ClusterRow RowOf(Entry entry)
    {
        var works = entry.Last.State == ClusterProgressState.Working;
        var inAll = entry.Last.State == ClusterProgressState.Waiting ? TimeSpan.Zero : works ? time.GetElapsedTime(entry.Begun)
            : time.GetElapsedTime(entry.Begun, entry.Stepped);
        return new ClusterRow(entry.Last, works ? time.GetElapsedTime(entry.Stepped) : TimeSpan.Zero, inAll);
    }

    private sealed record Entry(ClusterProgress Last, long Begun, long Stepped, long Reported);
}

/// <summary>The board as a table for a terminal: one row per cluster with its current step.</summary>
internal static class ClusterTable
{
    internal static Table From(IReadOnlyList<ClusterRow> rows)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = false };
        table.AddColumns(new TableColumn("sign").NoWrap(), new TableColumn("cluster").NoWrap(), new TableColumn("step"),
            new TableColumn("time").RightAligned().NoWrap());
        foreach (var row in rows)
        {
            var (color, sign) = row.Last.State switch
            {
                ClusterProgressState.Done => ("green", '+'),
                ClusterProgressState.Failed => ("red", 'x'),
                ClusterProgressState.Waiting => ("grey", '.'),
                _ => ("yellow", '*'),
            };
            table.AddRow($"[{color}]{sign}[/]", $"[bold]{Markup.Escape(row.Last.Cluster.Value)}[/]",
                Markup.Escape(row.Last.Step), row.InAll == TimeSpan.Zero ? "" : $"{row.InAll.TotalSeconds:0} s");
        }

        return table;
    }
}
