using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>JUnit.</summary>
public static class JUnitReport
{
    /// <summary>The report as text.</summary>
    public static string Render(TrustReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return report.Mesh;
    }
}
