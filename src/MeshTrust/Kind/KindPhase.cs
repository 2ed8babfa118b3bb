namespace MeshTrust.Kind;

/// <summary>How far the making of a cluster came.</summary>
public enum KindPhase
{
    /// <summary>It has begun and not ended: what is there may be half a cluster.</summary>
    Creating,

    /// <summary>The cluster was whole and ready.</summary>
    Ready,
}
