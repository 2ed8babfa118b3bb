using Cake.Core;
using MeshTrust.Checks;
using MeshTrust.Reporting;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Applies the rules of Verify that need no cluster to PEM files or the trust store. It changes nothing.</summary>
[TaskName("Lint")]
[TaskDescription("Checks the trust store or PEM files against RFC 5280 and Istio's rules, without a cluster (--file, --strict)")]
public sealed class LintTask(MeshSession session) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        var (topology, run) = (session.Settings(context).Topology, session.Settings(context).Run);
        IReadOnlyList<string> paths = run.Files.Count > 0 ? run.Files : [run.CertsDirectory];
        var report = LintReport.For(LintReading.Read(topology.Name, topology.Trust.TrustDomain, paths, session.Time.GetUtcNow()));
        session.Reports.Show(
            run, () => JsonReport.Render(report), console => TableReport.Write(report, console, all: true),
            text => PlainReport.Write(report, text, all: true));
        if (report.ToFault(run.Strict) is { } fault) throw fault;
    }
}
