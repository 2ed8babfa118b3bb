using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>Plain.</summary>
public static class PlainReport
{
    /// <summary>Writes the report.</summary>
    public static void Write(TrustReport report, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        foreach (var finding in report.Findings) output.WriteLine(finding);
    }
}
