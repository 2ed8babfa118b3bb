using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Tells how the kind clusters of the topology stand. It changes nothing.</summary>
[TaskName("Status")]
[TaskDescription("Tells how the kind clusters of the topology stand, and changes nothing (--output=json)")]
public sealed class StatusTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        if (await session.ProviderAsync(context).ConfigureAwait(false) is { Choice: not ProviderChoice.Kind } other)
        {
            context.Log.Information($"Status is for kind clusters; the provider is {other.Choice.ToString().ToLowerInvariant()} ({other.Reason}). Verify reads what any cluster holds.");
            return;
        }

        var report = await new KindStatusReading(await session.KindAsync(context).ConfigureAwait(false)).ReadAsync(settings.Topology, session.Token).ConfigureAwait(false);
        if (settings.Run.Output == OutputFormat.Json) session.Output.Report.WriteLine(report.ToJson());
        else if (settings.Run.Output == OutputFormat.Table || (settings.Run.Output == OutputFormat.Auto && LiveStatus.IsInteractive)) session.Output.AsConsole(settings.Run.Color).Write(report.ToTable());
        else foreach (var line in report.ToLines()) session.Output.Report.WriteLine(line);
    }
}
