using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Puts the secret <c>cacerts</c> into every cluster, by server-side apply; a cluster whose live root differs is not touched.</summary>
[TaskName("PushSecrets")]
[TaskDescription("Puts the secret cacerts into every cluster; a differing live root is not replaced (--accept-outage)")]
[IsDependentOn(typeof(SetContextsTask))]
[IsDependentOn(typeof(ClusterCacertsTask))]
public sealed class PushSecretsTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var store = new TrustStore(settings.Run.CertsDirectory);
        var clusters = await session.AccessAsync(context).ConfigureAwait(false);
        var allowed = new CacertsPushSettings { Parallel = session.Parallel(context), Force = settings.Run.Force, AcceptOutage = settings.Run.AcceptOutage };

        var report = await session.Live.DuringAsync(
            context,
            () => $"pushing to {clusters.Count} clusters",
            CacertsPush.RunAsync(settings.Topology, clusters, session.Connect(Stage.Push), store.ReadCacerts, allowed, session.Token)).ConfigureAwait(false);

        foreach (var outcome in report.Outcomes)
        {
            context.Log.Information($"{outcome.Cluster}: secret cacerts {Word(outcome.Secret)}, namespace {Word(outcome.Namespace)}");
            foreach (var warning in outcome.Warnings) context.Log.Warning(warning.ToString());
        }

        report.EnsureSucceeded();
        if (report.NothingChanged) context.Log.Information("Nothing had to change.");
    }

    private static string Word(ApplyOutcome? outcome) => outcome?.ToString().ToLowerInvariant() ?? "not touched";
}
