using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Brings back the intermediates that RotateIntermediates replaced.</summary>
[TaskName("Rollback")]
[TaskDescription("Brings back the intermediates that RotateIntermediates replaced (--cluster)")]
[IsDependentOn(typeof(SetContextsTask))]
public sealed class RollbackTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var (rotation, clusters) = await session.RotationAsync(context);
        var back = await rotation.RollBackAsync(clusters, session.Token);
        if (back.Count == 0) context.Log.Information("No cluster has a previous intermediate: nothing had to change.");
    }
}
