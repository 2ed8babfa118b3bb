using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Gives clusters new intermediates under the same root, one at a time, with a proof before and after each.</summary>
[TaskName("RotateIntermediates")]
[TaskDescription("Gives clusters new intermediates under the same root, one at a time, proven (--cluster, --preview)")]
[IsDependentOn(typeof(SetContextsTask))]
public sealed class RotateIntermediatesTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var (rotation, clusters) = await session.RotationAsync(context);
        var plan = rotation.Plan(clusters);
        var left = plan.Clusters.Where(c => !c.IsDone).ToList();
        if (left.Count < plan.Clusters.Count)
            context.Log.Information($"Going on with the rotation that has begun: {string.Join(", ", left.Select(c => c.Name))}");
        if (!session.Settings(context).Run.Preview) await rotation.RotateAsync(plan, session.Token);
        else foreach (var cluster in left) context.Log.Information($"{cluster.Name}: would replace the intermediate {cluster.Replaces}");
    }
}
