using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Sets kind clusters right after their container engine was restarted. It makes no cluster and removes none.</summary>
[TaskName("Repair")]
[TaskDescription("After a restart of the container engine: starts nodes, follows moved addresses, updates kubeconfigs and routes")]
public sealed class RepairTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var (settings, selection) = (session.Settings(context), await session.ProviderAsync(context));
        if (selection.Choice != ProviderChoice.Kind)
        {
            context.Log.Information($"Repair is for kind clusters; the provider is {selection}: nothing to repair.");
            return;
        }

        var provider = new KindClusterProvider(await session.KindAsync(context));
        var repair = provider.RepairAsync(settings.Topology, session.Token);
        var repaired = (await session.Live.DuringAsync(context, session.Board, repair)).Clusters;
        foreach (var cluster in repaired)
            context.Log.Information($"{cluster.Access.Name}: {cluster.Outcome.ToString().ToLowerInvariant()}, {cluster.Detail}");
        var wanted = settings.Topology.Clusters.Select(cluster => cluster.Name);
        foreach (var missing in wanted.Except(repaired.Select(cluster => cluster.Access.Name)))
            context.Log.Warning($"{missing}: no complete cluster created by MeshTrust; run SetupKind to create it.");
        if (repaired.Count == settings.Topology.Clusters.Count)
            ContextsPlan.Read(settings.Topology, repaired, settings.Run).Write();
    }
}
