using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;
using MeshTrust.Rotation;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust;

/// <summary>What the tasks that rotate CAs work with.</summary>
internal static class Rotations
{
    /// <summary>What rotates intermediates, and the clusters that were chosen: all if none was named.</summary>
    internal static async Task<(IntermediateRotation Rotation, IReadOnlyList<ClusterName> Clusters)> RotationAsync(
        this MeshSession session, ICakeContext context)
    {
        var (topology, run) = (session.Settings(context).Topology, session.Settings(context).Run);
        var names = topology.Clusters.Select(c => c.Name).ToList();
        var access = await session.AccessAsync(context).ConfigureAwait(false);
        session.KeepFromGit(context, run.CertsDirectory);
        var store = new TrustStore(run.CertsDirectory);
        var rotation = new IntermediateRotation(topology, access, session.Connect, store, session.Keys, session.Time)
        {
            Tell = (cluster, what) => context.Log.Information($"{cluster}: {what}"),
            Wait = run.WaitLive > TimeSpan.Zero ? run.WaitLive : TimeSpan.FromMinutes(3),
        };
        return (rotation, run.Clusters.Count > 0 ? run.Clusters : names);
    }

    /// <summary>What changes the root.</summary>
    internal static async Task<RootRotation> RootRotationAsync(this MeshSession session, ICakeContext context)
    {
        var (topology, run) = (session.Settings(context).Topology, session.Settings(context).Run);
        var store = new TrustStore(run.CertsDirectory);
        var access = await session.AccessAsync(context).ConfigureAwait(false);
        var rotation = new RootRotation(topology, access, session.Connect, store, session.Keys, session.Time)
        {
            Tell = what => context.Log.Information("{0}", what),
            Wait = run.WaitLive > TimeSpan.Zero ? run.WaitLive : TimeSpan.FromMinutes(3),
            Soak = run.Soak,
        };
        session.KeepFromGit(context, run.CertsDirectory, rotation.Next.Location, rotation.Retired(RootRotationPlan.Read(store)));
        return rotation;
    }

    /// <summary>Whether a change of root is under way: then nothing else issues CA material.</summary>
    internal static bool IsRootChanging(this MeshSession session, ICakeContext context)
    {
        if (RootRotationPlan.Read(new TrustStore(session.Settings(context).Run.CertsDirectory)) is not { } plan) return false;
        context.Log.Information($"A change of root is under way (phase {plan.Phase}): nothing is issued. Go on with --target=RotateRoot.");
        return true;
    }
}
