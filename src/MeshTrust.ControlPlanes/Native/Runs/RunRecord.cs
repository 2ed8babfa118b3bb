using System.Text.Json;
using System.Text.Json.Serialization;
using MeshTrust.ControlPlanes.Native.Processes;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native.Runs;

/// <summary>Who owns a run directory, and which processes were started for it: <c>owner.json</c>.</summary>
internal sealed record RunRecord
{
    public const string FileName = "owner.json";

    public required string Host { get; init; }

    public required ProcessRecord Owner { get; init; }

    public IReadOnlyList<ProcessRecord> Children { get; init; } = [];

    public static RunRecord Ours() => new() { Host = Environment.MachineName, Owner = ProcessRecord.Of(Environment.ProcessId) };

    /// <summary>Null where it cannot be read: somebody else's, or half of one.</summary>
    public static RunRecord? Read(string directory)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(directory, FileName)), RunRecordContext.Default.RunRecord);
        }
        catch (Exception e) when (e is JsonException || DiskFault.IsOne(e))
        {
            return null;
        }
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, RunRecordContext.Default.RunRecord);
}

/// <summary>One process: its id and when it began, which together never come again.</summary>
internal sealed record ProcessRecord(int Id, string? Birth)
{
    public static ProcessRecord Of(int id) => new(id, ProcessBirth.Of(id));

    public bool IsAlive => Birth is not null && ProcessBirth.Of(Id) == Birth;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RunRecord))]
internal sealed partial class RunRecordContext : JsonSerializerContext;
