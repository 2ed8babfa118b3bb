using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>How to reach one cluster: a kubeconfig file and the context in it. Nothing here is secret; the file is.</summary>
public sealed record ClusterAccess
{
    /// <summary>The cluster's name in the topology.</summary>
    public required ClusterName Name { get; init; }

    /// <summary>The kubeconfig file (absolute path).</summary>
    public required string KubeconfigPath { get; init; }

    /// <summary>The context in that file; the current-context of the file is never used.</summary>
    public required string ContextName { get; init; }
}
