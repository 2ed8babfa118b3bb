using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>
/// Removes the kind clusters that were created from this work directory, even incomplete ones, and nothing else; keys are kept. It
/// reports what it could not remove and still succeeds, so that a cleanup step never masks an earlier failure.
/// </summary>
[TaskName("CleanClusters")]
[TaskDescription("Removes the kind clusters that MeshTrust created from this work directory, and nothing else (--skip-cleanup)")]
public sealed class CleanClustersTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        try
        {
            var settings = session.Settings(context);
            if (settings.Run.SkipCleanup) context.Log.Information("Clusters are kept (--skip-cleanup).");
            else if (new KindStates(settings.Run.WorkDirectory).Clusters().Count == 0)
            {
                context.Log.Information($"No kind clusters were created from {settings.Run.WorkDirectory}.");
                Tell(context, await new KindExports(settings.Run, session.Time).ForgetAsync([], session.Token));
            }
            else
            {
                var kind = await session.KindAsync(context);
                Tell(context, await new KindCleaning(kind).CleanAsync(settings.Topology.Kind.Network.Name, session.Token));
            }

            if (!settings.Run.SkipCleanup)
            {
                session.Outcome.Next = [];
                foreach (var file in MeshSession.GitIgnore(settings).RemoveUnneeded()) context.Log.Information("removed {0}.", file);
            }
        }
        catch (MeshTrustException e)
        {
            foreach (var problem in e.Problems) context.Log.Warning("{0}", problem);
            context.Log.Warning("Clusters could not be found or removed. Fix the errors above and run CleanClusters again.");
        }
    }

    private static void Tell(ICakeContext context, KindCleaningReport report)
    {
        foreach (var line in report.Removed) context.Log.Information("removed {0}", line);
        foreach (var line in report.Left) context.Log.Information("left {0}", line);
        foreach (var line in report.Failed) context.Log.Warning("not removed: {0}", line);
    }
}
