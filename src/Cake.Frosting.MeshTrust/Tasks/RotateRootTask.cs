using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;
using MeshTrust.Rotation;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Changes the root of the mesh without an outage, one phase a run.</summary>
[TaskName("RotateRoot")]
[TaskDescription("Changes the root without an outage, one phase a run (--preview, --through, --soak)")]
[IsDependentOn(typeof(SetContextsTask))]
public sealed class RotateRootTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var run = session.Settings(context).Run;
        var rotation = await session.RootRotationAsync(context);
        var plan = RootRotationPlan.Read(new TrustStore(run.CertsDirectory));
        foreach (var line in RootPhases.Describe(plan)) context.Log.Information(line);
        var until = run.Through ?? RootRotation.Following(plan);
        var hasBegun = plan is not null;
        while (!run.Preview && (RootRotation.Following(plan) is { } next ? next <= until : hasBegun))
        {
            plan = await rotation.AdvanceAsync(session.Token);
            if (plan is null) return;
            hasBegun = true;
            foreach (var line in RootPhases.Describe(plan)) context.Log.Information(line);
        }
    }
}
