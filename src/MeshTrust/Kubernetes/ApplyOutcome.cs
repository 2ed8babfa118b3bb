namespace MeshTrust.Kubernetes;

/// <summary>What a write did.</summary>
public enum ApplyOutcome
{
    /// <summary>The object was not there.</summary>
    Created,

    /// <summary>It was there and differed.</summary>
    Changed,

    /// <summary>It was there as wanted: same resourceVersion as before.</summary>
    Unchanged,
}
