using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>Json.</summary>
public static class JsonReport
{
    /// <summary>The report as text.</summary>
    public static string Render(TrustReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return report.Mesh;
    }
}
