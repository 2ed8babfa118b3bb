using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Keeps the clusters up until Ctrl-C, for a look with kubectl. The time limit does not apply.</summary>
[TaskName("Serve")]
[TaskDescription("Keeps the clusters running until Ctrl-C and prints kubectl commands for them")]
[IsDependentOn(typeof(SetContextsTask))]
public sealed class ServeTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        session.Cancellation.LiftLimit();
        foreach (var cluster in await session.AccessAsync(context))
        {
            var kubectl = $"kubectl --kubeconfig {cluster.KubeconfigPath} --context {cluster.ContextName}";
            context.Log.Information($"{kubectl} get secrets --namespace {settings.Topology.Trust.Namespace}");
        }

        context.Log.Information($"In another shell: {NextSteps.Source(settings.Run)}");
        context.Log.Information("Serving until Ctrl-C.");

        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = session.Token.Register(stopped.SetResult);
        await stopped.Task;
        session.Cancellation.Forgive();
        context.Log.Information("Stopped; the clusters' state is kept for the next run.");
    }
}
