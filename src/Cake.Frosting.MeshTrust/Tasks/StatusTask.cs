using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Shows the status of the topology's kind clusters. It changes nothing.</summary>
[TaskName("Status")]
[TaskDescription("Shows the status of the topology's kind clusters; changes nothing (--output=json)")]
public sealed class StatusTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        if (await session.ProviderAsync(context) is { Choice: not ProviderChoice.Kind } other)
        {
            context.Log.Information($"Status is for kind clusters; the provider is {other}. Use Verify for other clusters.");
            return;
        }

        var kind = await session.KindAsync(context);
        var report = await new KindStatusReading(kind).ReadAsync(settings.Topology, session.Token);
        session.Reports.Show(settings.Run, report.ToJson, console => console.Write(report.ToTable()), text =>
        {
            foreach (var line in report.ToLines()) text.WriteLine(line);
        });
    }
}
