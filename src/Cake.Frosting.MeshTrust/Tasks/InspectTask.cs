using Cake.Core;
using MeshTrust.Pki;
using MeshTrust.Reporting;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Shows what PEM files or the trust store contain, never keys. It changes nothing and contacts no cluster.</summary>
[TaskName("Inspect")]
[TaskDescription("Shows the certificates and keys in the trust store or in PEM files, never key material (--file, --output=json)")]
public sealed class InspectTask(MeshSession session) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        var run = session.Settings(context).Run;
        var files = PemFiles.Read(run.Files.Count > 0 ? run.Files : [run.CertsDirectory]);
        var inspection = CertificateInspection.Of(files, session.Time.GetUtcNow());
        session.Reports.Show(
            run, () => JsonReport.Render(inspection), console => InspectionText.Write(inspection, console),
            text => InspectionText.Write(inspection, text));
    }
}
