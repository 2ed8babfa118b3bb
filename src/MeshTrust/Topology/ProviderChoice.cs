namespace MeshTrust.Topology;

/// <summary>Where clusters come from.</summary>
public enum ProviderChoice
{
    /// <summary>Existing contexts where they are named, else embedded.</summary>
    Auto,

    /// <summary>An in-process Kubernetes API server for each cluster.</summary>
    Embedded,

    /// <summary>The user's kubeconfig and contexts.</summary>
    Existing,
}
