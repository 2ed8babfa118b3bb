using Cake.Core;
using Cake.Frosting.MeshTrust.Kind;

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
        if (await session.KindOnlyAsync(context, "Status") is not { } kind)
        {
            session.Outcome.Code = KindStatusReport.NoKind;
            session.Outcome.Next = NextSteps.Continue;
            return;
        }

        var report = await new KindStatusReading(kind).ReadAsync(settings.Topology, session.Token);
        session.Reports.Show(settings.Run, report.ToJson, console => console.Write(report.ToTable()), text =>
        {
            foreach (var line in report.ToLines()) text.WriteLine(line);
        });
        (session.Outcome.Code, session.Outcome.Next) = (report.ExitCode, report.Next);
    }
}
