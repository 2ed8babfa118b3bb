using Cake.Core;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Shows the status of the topology's kind clusters, and ends with a code that scripts can read. It changes nothing.</summary>
[TaskName("Status")]
[TaskDescription("Shows the status of the topology's kind clusters, also as exit code; changes nothing (--output=json)")]
public sealed class StatusTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var kind = await session.KindOnlyAsync(context, "Status");
        var report = kind is null ? new KindStatusReport(settings.Topology.Name, [])
            : await new KindStatusReading(kind).ReadAsync(settings.Topology, session.Token);
        if (kind is not null || settings.Run.Output == OutputFormat.Json)
        {
            session.Reports.Show(settings.Run, report.ToJson, console => console.Write(report.ToTable()), text =>
            {
                foreach (var line in report.ToLines()) text.WriteLine(line);
            });
        }

        (session.Outcome.Code, session.Outcome.Next) = (report.ExitCode, report.Next);
    }
}
