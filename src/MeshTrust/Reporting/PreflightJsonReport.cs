using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MeshTrust.Checks;

namespace MeshTrust.Reporting;

/// <summary>What the checks of the machine found, for programs. docs/preflight.md describes the members; <c>schemaVersion</c> is 1.</summary>
public static class PreflightJsonReport
{
    private static readonly Lazy<JsonTypeInfo<PreflightJsonDocument>> Shape = new(() =>
        new JsonReportContext(new JsonSerializerOptions(JsonReportContext.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).PreflightJsonDocument);

    /// <summary>The report as indented JSON, ending in one line break.</summary>
    public static string Render(PreflightReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var document = new PreflightJsonDocument { Mesh = report.Mesh, Verdict = PreflightText.Verdict(report), Errors = report.Errors, Warnings = report.Warnings, Rows = report.Rows };
        return JsonSerializer.Serialize(document, Shape.Value) + "\n";
    }
}
