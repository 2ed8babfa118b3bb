using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Checks;
using MeshTrust.Pki;
using MeshTrust.Verification;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Reads the clusters and proves, or disproves, that workloads of every cluster are trusted in every other.</summary>
[TaskName("Verify")]
[TaskDescription("Proves that workloads of every cluster are trusted in every other")]
[IsDependentOn(typeof(PushSecretsTask))]
public sealed class VerifyTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var clusters = await session.AccessAsync(context);
        var reading = new TrustSnapshotReader(session.Time, session.Parallel(context))
            .ReadAsync(settings.Topology, clusters, session.Connect(Stage.Verification), settings.Run.CertsDirectory, session.Token);
        var snapshot = await session.Live.DuringAsync(context, () => $"reading {clusters.Count} clusters", reading);
        var peers = await session.Live.DuringAsync(context, () => "checking connectivity between clusters",
            session.PeersAsync(context, snapshot));
        using var istiods = await session.AskIstiodsAsync(context, snapshot, clusters);

        var inspection = Task.Run(() => TrustInspection.Inspect(snapshot with { Peers = peers, Istiods = istiods }), session.Token);
        var report = await session.Live.DuringAsync(context, () => $"checking {clusters.Count} clusters", inspection);
        var provider = (await session.ProviderAsync(context)).Choice;
        var next = report.ToFault(settings.Run.Strict) is null ? NextSteps.For(provider, settings, report) : [];
        session.Outcome.Next = next;
        session.Reports.Deliver(context, report with { Next = [.. next.Select(step => step.ToString())] }, settings.Run);

        // Verified, and the clusters match the store: the replaced files are no longer needed.
        var isHeld = report.Drift.Where(file => file.File is CacertsFile.CaCert or CacertsFile.CaKey).All(file => file.Same is true);
        var store = new TrustStore(settings.Run.CertsDirectory);
        if (isHeld && store.RemoveReplaced(settings.Topology.Clusters.Select(c => c.Name), report.At) is > 0 and var count)
            context.Log.Information($"Removed {count} replaced CA files that are no longer needed.");
    }
}
