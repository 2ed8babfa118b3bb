using MeshTrust.Kind;

namespace MeshTrust.Reporting;

/// <summary>The shape of the JSON report of a preflight. Members are only ever added under one <see cref="SchemaVersion"/>.</summary>
internal sealed record PreflightJsonDocument
{
    public int SchemaVersion { get; init; } = 1;

    public required string Mesh { get; init; }

    public required string Verdict { get; init; }

    public required int Errors { get; init; }

    public required int Warnings { get; init; }

    public required IReadOnlyList<PreflightRow> Rows { get; init; }
}
