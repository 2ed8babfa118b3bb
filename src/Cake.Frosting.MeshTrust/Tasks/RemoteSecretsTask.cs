using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.IO;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Gives the istiod of each primary access to the API servers of the other clusters.</summary>
[TaskName("RemoteSecrets")]
[TaskDescription("Creates the remote secrets with which istiod reads other clusters (--preview, --remove, --api-server)")]
[IsDependentOn(typeof(PushSecretsTask))]
public sealed class RemoteSecretsTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var run = session.Settings(context).Run;
        await using var work = await session.RemoteSecretsAsync(context);
        if (run.Preview)
        {
            foreach (var (primary, remote) in work.Secrets.Pairs)
                context.Log.Information($"{primary}: would get the remote secret of {remote}, for {work.Servers[remote].Server}");
        }
        else if (run.Remove)
        {
            foreach (var removed in await work.Secrets.RemoveAsync(session.Token)) context.Log.Information($"removed {removed}");
        }
        else
        {
            foreach (var outcome in await work.Secrets.EnsureAsync(session.Token))
            {
                var end = outcome.Expires is { } at ? $", its token ends {Text.Time(at)}" : "";
                context.Log.Information($"{outcome.Primary}: remote secret of {outcome.Remote} "
                    + $"{outcome.Outcome?.ToString().ToLowerInvariant()}, for {work.Servers[outcome.Remote].Server}{end}");
            }
        }
    }
}
