using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Applies the secret <c>cacerts</c> to every cluster, by server-side apply, unless its live root differs.</summary>
[TaskName("PushSecrets")]
[TaskDescription("Writes the secret cacerts to every cluster; does not replace a different live root (--accept-outage)")]
[IsDependentOn(typeof(SetContextsTask))]
[IsDependentOn(typeof(ClusterCacertsTask))]
public sealed class PushSecretsTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        if (await session.IsKeptElsewhereAsync(context)) return;
        var settings = session.Settings(context);
        var store = new TrustStore(settings.Run.CertsDirectory);
        var clusters = await session.AccessAsync(context);
        var run = settings.Run;
        var allowed = new CacertsPushSettings { Parallel = session.Parallel(context), Force = run.Force, AcceptOutage = run.AcceptOutage };

        var push = CacertsPush.RunAsync(
            settings.Topology, clusters, session.Connect(Stage.Push), store.ReadCacerts, allowed, session.Token);
        var report = await session.Live.DuringAsync(context, () => $"pushing to {clusters.Count} clusters", push);

        foreach (var outcome in report.Outcomes) Show(context, outcome);
        report.EnsureSucceeded();
        if (report.NothingChanged) context.Log.Information("Nothing had to change.");
    }

    private static void Show(ICakeContext context, PushOutcome outcome)
    {
        var cluster = outcome.Cluster;
        context.Log.Information($"{cluster}: secret cacerts {Word(outcome.Secret)}, namespace {Word(outcome.Namespace)}");
        if (outcome.StillSigns is { } serial)
            context.Log.Information($"{cluster}: istiod signs with the old intermediate (serial {serial}) until it reloads");
        foreach (var warning in outcome.Warnings) context.Log.Warning(warning.ToString());
    }

    private static string Word(ApplyOutcome? outcome) => outcome?.ToString().ToLowerInvariant() ?? "not touched";
}
