using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;
using MeshTrust.Rotation;

namespace Cake.Frosting.MeshTrust;

/// <summary>What the tasks that rotate CAs work with.</summary>
internal static class Rotations
{
    private static readonly TimeSpan UsualWait = TimeSpan.FromMinutes(3);

    internal static async Task<IntermediateRotation> RotationAsync(this MeshSession session, ICakeContext context) =>
        new(await session.RotatedMeshAsync(context).ConfigureAwait(false));

    internal static async Task<RootRotation> RootRotationAsync(this MeshSession session, ICakeContext context)
    {
        var mesh = await session.RotatedMeshAsync(context).ConfigureAwait(false);
        var run = session.Settings(context).Run;
        var rotation = new RootRotation(mesh) { Soak = run.Soak, CrossSigned = run.CrossSigned };
        session.KeepFromGit(context, rotation.Next.Location, rotation.Retired(RootRotationPlan.File.Read(mesh.Store)));
        return rotation;
    }

    /// <summary>Whether a change of root is under way: then nothing else issues CA material.</summary>
    internal static bool IsRootChanging(this MeshSession session, ICakeContext context)
    {
        var store = new TrustStore(session.Settings(context).Run.CertsDirectory);
        if (RootRotationPlan.File.Read(store) is not { } plan) return false;
        context.Log.Information(
            $"A change of root is under way (phase {plan.Word}): nothing is issued. Continue it with --target=RotateRoot.");
        return true;
    }

    private static async Task<RotatedMesh> RotatedMeshAsync(this MeshSession session, ICakeContext context)
    {
        var (topology, run) = (session.Settings(context).Topology, session.Settings(context).Run);
        var access = await session.AccessAsync(context).ConfigureAwait(false);
        session.KeepFromGit(context, run.CertsDirectory);
        return new(topology, access, session.Connect, new TrustStore(run.CertsDirectory), session.Keys, session.Time)
        {
            Tell = what => context.Log.Information("{0}", what),
            Wait = run.WaitLive > TimeSpan.Zero ? run.WaitLive : UsualWait,
        };
    }
}
