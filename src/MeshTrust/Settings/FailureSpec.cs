namespace MeshTrust.Settings;

/// <summary>What happens when making a cluster fails.</summary>
public sealed record FailureSpec
{
    /// <summary>Whether a cluster that failed stays (<c>--retain</c>, <c>--keep-failed</c>).</summary>
    public bool Retain { get; init; }

    /// <summary>Whether its logs go to the artifacts folder.</summary>
    public bool ExportLogs { get; init; } = true;

    /// <summary>How often a passing fault is tried again, 0 to 10.</summary>
    public int Retries { get; init; } = 1;
}
