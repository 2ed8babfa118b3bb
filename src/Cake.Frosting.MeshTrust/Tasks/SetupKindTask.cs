using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Makes the clusters reachable: creates what is missing, and changes nothing in an existing cluster.</summary>
[TaskName("SetupKind")]
[TaskDescription("Creates the clusters of the topology, or connects to existing ones (--provider=auto|kind|native|embedded|existing)")]
[IsDependentOn(typeof(PreflightTask))]
public sealed class SetupKindTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        session.Outcome.Continue();
        var selection = await session.ProviderAsync(context);
        context.Log.Information($"provider: {selection}");
        session.PrepareKeys(context);

        var work = session.ClustersAsync(context);
        var clusters = await (selection.Choice == ProviderChoice.Kind
            ? session.Live.DuringAsync(context, session.Board, work)
            : session.Live.DuringAsync(context, () => $"starting {settings.Topology.Clusters.Count} clusters", work));

        foreach (var cluster in clusters.Clusters)
            context.Log.Information($"{cluster.Access.Name}: {cluster.Outcome.ToString().ToLowerInvariant()}, {cluster.Detail}");
        if (clusters.Clusters.All(cluster => cluster.Outcome == ClusterOutcome.Existing))
            context.Log.Information("These clusters are yours: nothing was created, and nothing will be removed.");
    }
}
