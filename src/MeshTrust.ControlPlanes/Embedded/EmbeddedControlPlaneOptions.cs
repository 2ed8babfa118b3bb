using MeshTrust.Settings;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>What one embedded API server is to be.</summary>
public sealed record EmbeddedControlPlaneOptions
{
    /// <summary>The cluster's name: it becomes the name of cluster, context and user in the kubeconfig.</summary>
    public required ClusterName Name { get; init; }

    /// <summary>Where objects and credentials are kept between runs (absolute path); null keeps everything in memory.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>The port on 127.0.0.1, which must be free; 0 takes the port of the last run where that is free, else any.</summary>
    public int Port { get; init; }

    /// <summary>
    /// Whether deleting a namespace removes its content and then the namespace, as kube-controller-manager does.
    /// False behaves like a bare API server: the namespace stays in phase Terminating until it is finalized.
    /// </summary>
    public bool DeletesNamespaces { get; init; } = true;

    /// <summary>How many changes a watch can look back on before it is told 410 Gone. At least 1.</summary>
    public int WatchHistory { get; init; } = 1024;

    /// <summary>How often a watch that asked for bookmarks gets one.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The clock for timestamps and for the validity of certificates.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
