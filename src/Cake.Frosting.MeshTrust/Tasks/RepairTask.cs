using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Repairs kind clusters after their container engine was restarted. It creates and removes no cluster.</summary>
[TaskName("Repair")]
[TaskDescription("After a restart of the container engine: starts nodes, follows moved addresses, updates kubeconfigs and routes")]
public sealed class RepairTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        if (await session.KindOnlyAsync(context, "Repair") is not { } kind) return;
        var repair = new KindClusterProvider(kind).RepairAsync(settings.Topology, session.Token);
        var repaired = (await session.Live.DuringAsync(context, session.Board, repair)).Clusters;
        foreach (var cluster in repaired)
            context.Log.Information($"{cluster.Access.Name}: {cluster.Outcome.ToString().ToLowerInvariant()}, {cluster.Detail}");
        var wanted = settings.Topology.Clusters.Select(cluster => cluster.Name);
        var missing = wanted.Except(repaired.Select(cluster => cluster.Access.Name)).ToList();
        if (missing.Count > 0)
        {
            throw new MeshTrustException(Stage.ClusterCreation, [.. missing.Select(name => new Problem("MT2326", name.Value,
                "There is no complete cluster of this name that MeshTrust created from this work directory, so there is nothing to repair.",
                "Run --target=SetupKind with the same arguments to create it."))]);
        }

        ContextsPlan.Read(settings.Topology, repaired, settings.Run).Write();
        session.Outcome.Next = NextSteps.For(ProviderChoice.Kind, settings);
    }
}
