using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;
using MeshTrust.Rotation;

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
        var settings = session.Settings(context);
        var rotation = await session.RotationAsync(context);
        var plan = rotation.Plan(settings.Chosen);
        var left = plan.Clusters.Where(c => !c.IsDone).ToList();
        if (File.Exists(RotationPlan.File.PathIn(new TrustStore(settings.Run.CertsDirectory))))
            context.Log.Information($"A rotation has begun and is not done in: {string.Join(", ", left.Select(c => c.Name))}");
        if (!settings.Run.Preview) await rotation.RotateAsync(plan, session.Token);
        else foreach (var cluster in left) context.Log.Information($"{cluster.Name}: would replace the intermediate {cluster.Replaces}");
    }
}
