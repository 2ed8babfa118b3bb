using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>Markdown.</summary>
public static class MarkdownReport
{
    /// <summary>Writes the report.</summary>
    public static void Write(TrustReport report, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        foreach (var finding in report.Findings) output.WriteLine(finding);
    }
}
