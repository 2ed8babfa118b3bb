using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using MeshTrust.Checks;
using MeshTrust.Pki;

namespace MeshTrust.Reporting;

/// <summary>
/// The reports for programs: indented JSON, ending with a line break. docs/checks.md and docs/preflight.md describe the members. Within
/// one <c>schemaVersion</c> members are only added.
/// </summary>
internal static class JsonReport
{
    // Output goes to a file or a terminal, not a web page: '>' and umlauts need no escaping.
    private static readonly Lazy<JsonReportContext> Context = new(() => new JsonReportContext(
        new JsonSerializerOptions(JsonReportContext.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));

    public static string Render(TrustReport report) => Render(report, Context.Value.TrustReport);

    public static string Render(ChecksReport report)
    {
        var rows = report.Rows.Select(r => new PreflightRow(
            r.Id, r.Title, r.Outcome == CheckOutcome.CouldNotCheck ? "Unknown" : r.Outcome.ToString(), r.Note ?? "", r.Findings));
        return Render(new PreflightDocument(1, report.Mesh, report.Verdict, report.Errors, report.Warnings, [.. rows]),
            Context.Value.PreflightDocument);
    }

    public static string Render(CertificateInspection inspection) => Render(inspection, Context.Value.CertificateInspection);

    public static string Render(RenewalReport report) => Render(report, Context.Value.RenewalReport);

    private static string Render<T>(T document, JsonTypeInfo<T> shape) => JsonSerializer.Serialize(document, shape) + "\n";
}

/// <summary>The JSON of a preflight, whose members have different names.</summary>
internal sealed record PreflightDocument(
    int SchemaVersion, string Mesh, string Verdict, int Errors, int Warnings, IReadOnlyList<PreflightRow> Rows);

internal sealed record PreflightRow(string Id, string Title, string Outcome, string Measured, IReadOnlyList<Problem> Problems);

/// <summary>Source-generated serializers: no reflection at run time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    WriteIndented = true,
    NewLine = "\n",
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(TrustReport))]
[JsonSerializable(typeof(PreflightDocument))]
[JsonSerializable(typeof(CertificateInspection))]
[JsonSerializable(typeof(RenewalReport))]
internal sealed partial class JsonReportContext : JsonSerializerContext;
