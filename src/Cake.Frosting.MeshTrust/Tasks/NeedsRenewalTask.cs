using Cake.Core;
using MeshTrust.Pki;
using MeshTrust.Reporting;
using Spectre.Console;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Says by its exit code whether a CA of the trust store, or a certificate in a file, is due for renewal.</summary>
[TaskName("NeedsRenewal")]
[TaskDescription("Exit code 0 if a CA of the trust store or a certificate in --file is due for renewal, 1 if not (--renew-before)")]
public sealed class NeedsRenewalTask(MeshSession session) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        // 1 means that nothing is due: no fault may look like it.
        session.Outcome.UnknownFaultCode = RenewalReport.Failed;
        var settings = session.Settings(context);
        var (run, threshold) = (settings.Run, settings.Topology.Trust.RenewBefore);
        var report = RenewalReport.Read(run.Files, run.CertsDirectory, threshold, session.Time.GetUtcNow());
        session.Reports.Show(
            run, () => JsonReport.Render(report), console => console.Write(new Text(string.Join('\n', report.ToLines()) + "\n")),
            text => text.WriteLine(string.Join(text.NewLine, report.ToLines())));
        session.Outcome.Code = report.ExitCode;
    }
}
