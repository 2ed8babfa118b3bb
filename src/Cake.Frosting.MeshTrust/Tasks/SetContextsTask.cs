using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Asks every API server, and writes kubeconfigs, <c>env.sh</c>, a dotenv file and Istio's topology-config.json.</summary>
[TaskName("SetContexts")]
[TaskDescription("Checks that every API server answers; writes kubeconfigs, env.sh and topology-config.json")]
[IsDependentOn(typeof(SetupKindTask))]
public sealed class SetContextsTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var clusters = await session.AccessAsync(context);
        var check = ContextsCheck.RunAsync(clusters, session.Connect(Stage.Contexts), session.Time, session.Token);
        var report = await session.Live.DuringAsync(context, () => $"checking {clusters.Count} API servers", check);
        var plan = ContextsPlan.Read(settings.Topology, (await session.ClustersAsync(context)).Clusters, settings.Run);
        if (settings.Run.MergeKubeconfig is { } own) new KindExports(settings.Run, session.Time).Check(own, clusters);
        var written = plan.Write();

        foreach (var cluster in report.Clusters) context.Log.Information($"{cluster.Name}: {cluster.Server} answers, {cluster.Version}");
        foreach (var warning in report.Warnings) context.Log.Warning(warning.ToString());
        foreach (var file in written) context.Log.Information($"wrote {file.Path}");
        await MergeAsync(context, settings.Run, clusters);
        new PipelineExport(session.Output).Export(context, plan.Variables, settings.Run.Output);
        session.Outcome.Next = NextSteps.For((await session.ProviderAsync(context)).Choice, settings);
    }

    /// <summary>Merges the contexts into the user's own kubeconfig, if requested.</summary>
    private async Task MergeAsync(ICakeContext context, RunSpec run, IReadOnlyList<ClusterAccess> clusters)
    {
        if (run.MergeKubeconfig is not { } file) return;
        var changed = await new KindExports(run, session.Time).BringAsync(file, clusters, session.Token);
        var current = run.SetCurrent ? $", the current one is {clusters[0].ContextName}" : "";
        context.Log.Information($"{file}: {(changed ? "contexts merged" : "contexts already merged")}{current}");
    }
}
