using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.IO;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Gives the istiod of each primary access to the API servers of the other clusters.</summary>
[TaskName("RemoteSecrets")]
[TaskDescription("Creates the remote secrets with which istiod reads other clusters (--preview, --remove, --api-server)")]
[IsDependentOn(typeof(SetContextsTask))]
public sealed class RemoteSecretsTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var run = session.Settings(context).Run;
        using var secrets = await session.RemoteSecretsAsync(context);
        if (run.Preview)
        {
            foreach (var (primary, remote) in secrets.Pairs)
                context.Log.Information($"{primary}: would get the remote secret of {remote}, for {secrets.Servers[remote]}");
        }
        else if (run.Remove)
        {
            foreach (var removed in await secrets.RemoveAsync(session.Token)) context.Log.Information($"removed {removed}");
        }
        else
        {
            foreach (var secret in await secrets.EnsureAsync(session.Token))
            {
                var end = secret.Expires is { } at ? $", its token ends {Text.Time(at)}" : "";
                var what = secret.Outcome.ToString().ToLowerInvariant();
                context.Log.Information(
                    $"{secret.Primary}: remote secret of {secret.Remote} {what}, for {secrets.Servers[secret.Remote]}{end}");
            }
        }
    }
}
