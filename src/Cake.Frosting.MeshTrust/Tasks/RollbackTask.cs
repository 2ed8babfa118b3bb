using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;
using MeshTrust.Rotation;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Takes back the last step of RotateRoot, or brings back the intermediates that RotateIntermediates replaced.</summary>
[TaskName("Rollback")]
[TaskDescription("Takes back the last phase of RotateRoot, or what RotateIntermediates replaced (--cluster)")]
[IsDependentOn(typeof(SetContextsTask))]
public sealed class RollbackTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        if (RootRotationPlan.File.Read(new TrustStore(settings.Run.CertsDirectory)) is { } plan)
        {
            var root = await session.RootRotationAsync(context);
            foreach (var line in RootRotationPlan.Describe(await root.RollBackAsync(plan, session.Token))) context.Log.Information(line);
            return;
        }

        var rotation = await session.RotationAsync(context);
        var back = await rotation.RollBackAsync(settings.Chosen, session.Token);
        if (back.Count == 0) context.Log.Information("No cluster has a previous intermediate: nothing had to change.");
    }
}
