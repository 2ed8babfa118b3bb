using Spectre.Console;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>The board as a table for a terminal: one row a cluster with its current step.</summary>
internal static class ClusterTable
{
    internal static Table From(IReadOnlyList<ClusterRow> rows)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = false };
        table.AddColumns(new TableColumn("sign").NoWrap(), new TableColumn("cluster").NoWrap(), new TableColumn("step"), new TableColumn("time").RightAligned().NoWrap());
        foreach (var row in rows)
        {
            var color = row.Last.State switch
            {
                ClusterProgressState.Done => "green",
                ClusterProgressState.Failed => "red",
                ClusterProgressState.Waiting => "grey",
                _ => "yellow",
            };
            table.AddRow($"[{color}]{Sign(row.Last.State)}[/]", $"[bold]{Markup.Escape(row.Last.Cluster.Value)}[/]", Markup.Escape(row.Last.Step), row.InAll == TimeSpan.Zero ? "" : $"{row.InAll.TotalSeconds:0} s");
        }

        return table;
    }

    /// <summary>A sign beside the colour, for whoever sees none.</summary>
    private static string Sign(ClusterProgressState state) => state switch
    {
        ClusterProgressState.Done => "+",
        ClusterProgressState.Failed => "x",
        ClusterProgressState.Waiting => ".",
        _ => "*",
    };
}
