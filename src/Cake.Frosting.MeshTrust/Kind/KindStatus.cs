using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;
using Spectre.Console;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Reads the status of the kind clusters of a topology; nothing is changed.</summary>
internal sealed class KindStatusReading(KindSession session)
{
    public async Task<KindStatusReport> ReadAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        var set = await session.PlanAsync(topology, cancellationToken).ConfigureAwait(false);
        var rows = set.Complete().Verdicts.Select(verdict => ReadAsync(topology, verdict, set.Snapshot, cancellationToken));
        return new KindStatusReport(topology.Name, await Task.WhenAll(rows).ConfigureAwait(false));
    }

    private async Task<KindStatusRow> ReadAsync(MeshTopology topology, KindVerdict verdict, EngineSnapshot snapshot,
        CancellationToken cancellationToken)
    {
        var plan = verdict.Plan;
        var nodes = snapshot.NodesOf(plan.Cluster.Value);
        var server = nodes.Count == 0 ? null : KindServers.FromHere(plan, topology, snapshot.Info, snapshot.Containers);
        var row = new KindStatusRow
        {
            Cluster = plan.Cluster.Value,
            Status = Word(verdict.Action),
            Running = nodes.Count(node => node.IsRunning),
            Nodes = nodes.Count,
            Server = server?.GetLeftPart(UriPartial.Authority),
            Pool = session.States.Read(plan.Cluster) is { Addresses.LoadBalancerPool: { Count: > 0 } pool } ? string.Join(", ", pool)
                : null,
            Note = verdict.Differences.Count > 0 ? string.Join("; ", verdict.Differences) : verdict.Reason,
        };
        return verdict.Action is KindAction.Keep or KindAction.Differs && session.Kubeconfigs.ServerOf(plan.Cluster) is not null
            ? await AskAsync(row, plan, cancellationToken).ConfigureAwait(false) : row;
    }

    private async Task<KindStatusRow> AskAsync(KindStatusRow row, KindPlan plan, CancellationToken cancellationToken)
    {
        using var api = session.Connect(session.Kubeconfigs.AccessTo(plan.Cluster));
        var reading = await ClusterReadiness.ReadAsync(api, cancellationToken).ConfigureAwait(false);
        var missing = reading.Missing([]);
        return row with
        {
            Status = missing is null ? row.Status : "not ready",
            Kubernetes = reading.Nodes.Count > 0 ? reading.Nodes[0].KubeletVersion : null,
            Note = missing is null ? row.Note : $"waits for {missing}{(row.Note.Length > 0 ? $"; {row.Note}" : "")}",
        };
    }

    private static string Word(KindAction action) => action switch
    {
        KindAction.Keep => "ready",
        KindAction.Start => "stopped",
        KindAction.Differs => "differs",
        KindAction.Foreign => "not ours",
        KindAction.HalfMade => "half made",
        _ => "missing",
    };
}

internal sealed record KindStatusRow
{
    public required string Cluster { get; init; }

    /// <summary>
    /// <c>ready</c>, <c>not ready</c>, <c>stopped</c>, <c>half made</c>, <c>missing</c>, <c>not ours</c> or <c>differs</c>.
    /// </summary>
    public required string Status { get; init; }
    public required int Running { get; init; }
    public required int Nodes { get; init; }
    public string? Kubernetes { get; init; }

    /// <summary>Where this machine reaches its API server; null if it has no kubeconfig.</summary>
    public string? Server { get; init; }
    public string? Pool { get; init; }

    /// <summary>Further details: differences, what it waits for, why MeshTrust does not own it.</summary>
    public string Note { get; init; } = "";
}

/// <summary>The status of the kind clusters of a mesh, for people and for programs.</summary>
internal sealed record KindStatusReport(string Mesh, IReadOnlyList<KindStatusRow> Rows)
{
    private const int NoKind = 16;
    private const string Create = "Create it: run --target=SetupKind with the same arguments.";

    /// <summary>The exit code for each status, and what to do about it. Of several, the highest code counts.</summary>
    private static readonly Dictionary<string, (int Code, string Next)> Meanings = new()
    {
        ["ready"] = (0, ""),
        ["stopped"] = (10, "Start it: run --target=Repair with the same arguments."),
        ["not ready"] = (11, "Wait a minute, then run --target=Repair. For its logs, run --target=Export."),
        ["half made"] = (12, Create),
        ["missing"] = (13, Create),
        ["differs"] = (14, "Change the settings back, or recreate it with --target=SetupKind --force, which deletes everything in it."),
        ["not ours"] = (15, "Choose another name for your cluster, or manage this one with --target=SetupKind --adopt."),
    };

    /// <summary>The exit code of <c>Status</c>; it has one of its own for no rows: the clusters are not kind's.</summary>
    public int ExitCode => Rows.Select(row => Meanings[row.Status].Code).DefaultIfEmpty(NoKind).Max();

    public IReadOnlyList<NextStep> Next => Rows.Count == 0 ? NextSteps.Continue :
    [
        .. from row in Rows
           where Meanings[row.Status].Code > 0
           group row.Cluster by Meanings[row.Status].Next into same
           select new NextStep($"{string.Join(", ", same)}: {same.Key}"),
    ];

    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public IReadOnlyList<string> ToLines() =>
    [
        .. from row in Rows
           let note = row.Note.Length > 0 ? $" ({row.Note})" : ""
           select $"STATUS {row.Cluster} {row.Status.Replace(' ', '-')} nodes={row.Running}/{row.Nodes} " +
               $"kubernetes={row.Kubernetes ?? "-"} server={row.Server ?? "-"} pool={row.Pool ?? "-"}{note}",
    ];

    public Table ToTable()
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumns("cluster", "status", "nodes", "Kubernetes", "server", "load balancer", "note");
        foreach (var row in Rows)
        {
            var color = row.Status is "ready" ? "green" : row.Status is "missing" or "not ours" or "stopped" ? "yellow" : "red";
            table.AddRow($"[bold]{Markup.Escape(row.Cluster)}[/]", $"[{color}]{Markup.Escape(row.Status)}[/]",
                $"{row.Running}/{row.Nodes}", Cell(row.Kubernetes), Cell(row.Server), Cell(row.Pool), Markup.Escape(row.Note));
        }

        return table;
    }

    public string ToJson() => new JsonObject
    {
        ["schemaVersion"] = 1,
        ["mesh"] = Mesh,
        ["exitCode"] = ExitCode,
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
        ["next"] = new JsonArray([.. Next.Select(step => (JsonNode)step.ToString())]),
    }.ToJsonString(Readable);

    private static string Cell(string? text) => Markup.Escape(text ?? "-");
}
