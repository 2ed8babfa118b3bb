using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>The report for programs. docs/checks.md describes the members; <c>schemaVersion</c> is 1.</summary>
public static class JsonReport
{
    // A file and a terminal are no web page: '>' and umlauts may stand as they are.
    private static readonly Lazy<JsonTypeInfo<JsonReportDocument>> Shape = new(() =>
        new JsonReportContext(new JsonSerializerOptions(JsonReportContext.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).JsonReportDocument);

    /// <summary>The report as indented JSON, ending in one line break.</summary>
    public static string Render(TrustReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var document = new JsonReportDocument
        {
            Mesh = report.Mesh,
            At = report.At,
            Outcome = report.Outcome,
            Verdict = ReportText.Verdict(report),
            Errors = report.Errors,
            Warnings = report.Warnings,
            Clusters = report.Clusters,
            Matrix = report.Matrix,
            Checks = report.Checks,
            TrustStore = report.TrustStore,
            Drift = report.Drift,
        };
        return JsonSerializer.Serialize(document, Shape.Value) + "\n";
    }
}
