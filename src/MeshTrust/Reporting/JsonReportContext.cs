using System.Text.Json.Serialization;

namespace MeshTrust.Reporting;

/// <summary>Serialisers made by the compiler: no reflection at run time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true, NewLine = "\n", GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(JsonReportDocument))]
[JsonSerializable(typeof(PreflightJsonDocument))]
internal sealed partial class JsonReportContext : JsonSerializerContext;
