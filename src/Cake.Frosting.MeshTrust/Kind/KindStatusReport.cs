using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>How the kind clusters of a mesh stand, for people and for programs.</summary>
/// <param name="Mesh">The mesh.</param>
/// <param name="Rows">One row a cluster, in the order of the topology.</param>
public sealed record KindStatusReport(string Mesh, IReadOnlyList<KindStatusRow> Rows)
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One line a cluster.</summary>
    public IReadOnlyList<string> ToLines() =>
    [
        .. Rows.Select(row => $"STATUS {row.Cluster} {row.Status.Replace(' ', '-')} nodes={row.Running}/{row.Nodes} kubernetes={row.Kubernetes ?? "-"} server={row.Server ?? "-"} pool={row.Pool ?? "-"}{(row.Note.Length > 0 ? $" ({row.Note})" : "")}"),
    ];

    /// <summary>A table for a terminal.</summary>
    public Table ToTable()
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("cluster", "status", "nodes", "Kubernetes", "server", "load balancer", "note");
        foreach (var row in Rows)
        {
            var color = row.Status is "ready" ? "green" : row.Status is "missing" or "not ours" or "stopped" ? "yellow" : "red";
            table.AddRow($"[bold]{Markup.Escape(row.Cluster)}[/]", $"[{color}]{Markup.Escape(row.Status)}[/]", $"{row.Running}/{row.Nodes}", Cell(row.Kubernetes), Cell(row.Server), Cell(row.Pool), Markup.Escape(row.Note));
        }

        return table;
    }

    /// <summary>A JSON document; <c>schemaVersion</c> is 1.</summary>
    public string ToJson() => new JsonObject
    {
        ["schemaVersion"] = 1,
        ["mesh"] = Mesh,
        ["clusters"] = new JsonArray([.. Rows.Select(row => (JsonNode)new JsonObject
        {
            ["name"] = row.Cluster,
            ["status"] = row.Status,
            ["running"] = row.Running,
            ["nodes"] = row.Nodes,
            ["kubernetes"] = row.Kubernetes,
            ["server"] = row.Server,
            ["pool"] = row.Pool,
            ["note"] = row.Note.Length > 0 ? row.Note : null,
        })]),
    }.ToJsonString(Readable);

    private static string Cell(string? text) => Markup.Escape(text ?? "-");
}
