using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;
using MeshTrust.Rotation;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Changes the root of the mesh without an outage, one phase a run.</summary>
[TaskName("RotateRoot")]
[TaskDescription("Changes the root without an outage, one phase a run (--preview, --through, --soak, --cross-signed)")]
[IsDependentOn(typeof(SetContextsTask))]
public sealed class RotateRootTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var run = session.Settings(context).Run;
        var rotation = await session.RootRotationAsync(context);
        var plan = RootRotationPlan.File.Read(new TrustStore(run.CertsDirectory));
        foreach (var line in RootRotationPlan.Describe(plan, run.CrossSigned)) context.Log.Information(line);
        foreach (var (warning, commands) in await rotation.TrapsAsync(session.Token))
        {
            context.Log.Warning("{0}", warning);
            foreach (var command in commands) context.Log.Information("{0}", $"  {command}");
        }

        session.Outcome.Next = NextSteps.RootChange;
        var until = run.Through ?? RootRotationPlan.Following(plan, run.CrossSigned);
        while (!run.Preview && RootRotationPlan.IsLeft(plan, until, run.CrossSigned))
        {
            plan = await rotation.AdvanceAsync(session.Token);
            session.Outcome.Next = plan is null ? NextSteps.Continue : NextSteps.RootChange;
            if (plan is null) return;
            foreach (var line in RootRotationPlan.Describe(plan)) context.Log.Information(line);
        }
    }
}
