using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>How patient a <see cref="KubernetesClusterApi"/> is.</summary>
public sealed record ClusterApiSettings
{
    /// <summary>The defaults.</summary>
    public static ClusterApiSettings Default { get; } = new();

    /// <summary>How long one call may take with all its retries.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one try may take before it counts as lost and is repeated.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The pause before the first repetition; each further one is twice as long, with jitter, at most five seconds.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The largest number of objects that one page of a list holds.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>Knows why a cluster no longer answers, where its provider saw it end; asked when a connection fails, and told instead of that.</summary>
    public Func<ClusterName, Problem?> FaultOf { get; init; } = _ => null;

    /// <summary>The clock for deadlines and pauses.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
