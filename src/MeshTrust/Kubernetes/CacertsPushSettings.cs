namespace MeshTrust.Kubernetes;

/// <summary>What a push may do, and how many clusters at once.</summary>
public sealed record CacertsPushSettings
{
    /// <summary>How many clusters are written at once, at least 1.</summary>
    public int Parallel { get; init; } = 8;

    /// <summary>The user's word that fields of other managers and a secret that istiod generated may be taken over.</summary>
    public bool Force { get; init; }

    /// <summary>The user's word that a live root may be replaced by another one, though workloads stop trusting each other until they restart.</summary>
    public bool AcceptOutage { get; init; }
}
