using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Checks;
using MeshTrust.Pki;
using MeshTrust.Verification;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Reads what the clusters hold and proves, or disproves, that a workload of any of them is trusted in every other.</summary>
[TaskName("Verify")]
[TaskDescription("Proves that workloads of every cluster are trusted in every other")]
[IsDependentOn(typeof(PushSecretsTask))]
public sealed class VerifyTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var clusters = await session.AccessAsync(context).ConfigureAwait(false);
        var reading = new TrustSnapshotReader(session.Time, session.Parallel(context))
            .ReadAsync(settings.Topology, clusters, session.Connect(Stage.Verification), settings.Run.CertsDirectory, session.Token);
        var snapshot = await session.Live.DuringAsync(context, () => $"reading {clusters.Count} clusters", reading).ConfigureAwait(false);
        snapshot = snapshot with { Peers = await session.Live.DuringAsync(context, () => "calling each cluster from the others", session.PeersAsync(context)).ConfigureAwait(false) };

        var report = await session.Live.DuringAsync(context, () => $"checking {clusters.Count} clusters", Task.Run(() => TrustInspection.Inspect(snapshot), session.Token)).ConfigureAwait(false);
        session.Reports.Deliver(context, report, settings.Run);

        // Proven, and the clusters hold what the store holds: what was replaced has no use any more.
        var isHeld = report.Drift.Where(file => file.File is CacertsFile.CaCert or CacertsFile.CaKey).All(file => file.Same is true);
        if (isHeld && new TrustStore(settings.Run.CertsDirectory).RemoveReplaced(settings.Topology.Clusters.Select(c => c.Name), report.At) is > 0 and var count)
            context.Log.Information($"Removed {count} replaced CA files that were kept until this proof.");
    }
}
