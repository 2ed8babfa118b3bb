using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>A cluster whose API server answered.</summary>
public sealed record ReachableCluster
{
    /// <summary>The cluster's name in the topology.</summary>
    public required ClusterName Name { get; init; }

    /// <summary>The server's address.</summary>
    public required Uri Server { get; init; }

    /// <summary>The server's <c>gitVersion</c>, for instance <c>v1.32.4</c>.</summary>
    public required string Version { get; init; }

    /// <summary>What no two clusters share: the uid of <c>kube-system</c>, or, where it may not be read, the server's address and CA.</summary>
    public required string Identity { get; init; }
}
