using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Reads how the kind clusters of a topology stand; nothing is changed.</summary>
public sealed class KindStatusReading(KindRun run)
{
    /// <summary>Reads them all at once.</summary>
    /// <exception cref="MeshTrustException">The engine does not answer, or the topology cannot be planned on this machine.</exception>
    public async Task<KindStatusReport> ReadAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        var snapshot = await run.ReadAsync(cancellationToken).ConfigureAwait(false);
        var addresses = AddressPlan.For(topology, snapshot, run.States.ReadAddresses());
        var plans = KindPlan.For(topology, snapshot, addresses, KindClusterProvider.ReadOverlay(topology));
        var rows = await Task.WhenAll(plans.Select(plan => ReadAsync(topology, plan, snapshot, cancellationToken))).ConfigureAwait(false);
        return new KindStatusReport(topology.Name, rows);
    }

    private async Task<KindStatusRow> ReadAsync(MeshTopology topology, KindPlan plan, EngineSnapshot snapshot, CancellationToken cancellationToken)
    {
        var nodes = snapshot.NodesOf(plan.Cluster.Value);
        var state = run.States.Read(plan.Cluster);
        var verdict = KindVerdict.Of(plan, snapshot, state);
        var row = new KindStatusRow
        {
            Cluster = plan.Cluster.Value,
            Status = Word(verdict.Action),
            Running = nodes.Count(node => node.IsRunning),
            Nodes = nodes.Count,
            Server = nodes.Count == 0 ? null : KindServers.FromHere(plan, topology, snapshot.Info, snapshot.Containers)?.GetLeftPart(UriPartial.Authority),
            Pool = state is { Addresses.LoadBalancerPool: { Count: > 0 } pool } ? string.Join(", ", pool) : null,
            Note = verdict.Differences.Count > 0 ? string.Join("; ", verdict.Differences) : verdict.Reason,
        };
        return verdict.Action is KindAction.Keep or KindAction.Differs && run.Kubeconfigs.ServerOf(plan.Cluster) is not null ? await AskAsync(row, plan, cancellationToken).ConfigureAwait(false) : row;
    }

    private async Task<KindStatusRow> AskAsync(KindStatusRow row, KindPlan plan, CancellationToken cancellationToken)
    {
        using var api = run.Connect(run.Kubeconfigs.AccessTo(plan.Cluster));
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
