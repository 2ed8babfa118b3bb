using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Checks;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>
/// Checks this machine and its container engine before the first cluster is created: all checks, in one table. Errors end the run before
/// anything is started.
/// </summary>
[TaskName("Preflight")]
[TaskDescription("Checks this machine for kind clusters: engine, kernel, memory, disk, network, image, leftovers")]
public sealed class PreflightTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var provider = (await session.ProviderAsync(context)).Choice;
        if (provider != ProviderChoice.Kind)
        {
            context.Log.Information($"Nothing to check: the provider {provider.ToString().ToLowerInvariant()} does not use containers.");
            return;
        }

        var work = session.Preflight.ReadAsync(context, settings, session.Token);
        var reading = await session.Live.DuringAsync(context, () => "checking this machine", work);
        var report = PreflightReport.For(reading);
        session.KeepFromGit(context, settings.Run.WorkDirectory);
        session.Reports.Deliver(context, report, settings.Run);
    }
}
