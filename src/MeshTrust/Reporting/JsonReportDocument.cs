using MeshTrust.Verification;

namespace MeshTrust.Reporting;

/// <summary>The shape of the JSON report. Members are only ever added under one <see cref="SchemaVersion"/>.</summary>
internal sealed record JsonReportDocument
{
    public int SchemaVersion { get; init; } = 1;

    public required string Mesh { get; init; }

    public required DateTimeOffset At { get; init; }

    public required TrustOutcome Outcome { get; init; }

    public required string Verdict { get; init; }

    public required int Errors { get; init; }

    public required int Warnings { get; init; }

    public required IReadOnlyList<ClusterReport> Clusters { get; init; }

    public required TrustMatrix Matrix { get; init; }

    public required IReadOnlyList<CheckReport> Checks { get; init; }

    public string? TrustStore { get; init; }

    public required IReadOnlyList<FileDrift> Drift { get; init; }
}
