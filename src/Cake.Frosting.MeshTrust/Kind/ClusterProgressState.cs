namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Where a cluster stands in a run.</summary>
public enum ClusterProgressState
{
    /// <summary>It has not begun.</summary>
    Waiting,

    /// <summary>Something is done for it.</summary>
    Working,

    /// <summary>It is there.</summary>
    Done,

    /// <summary>It could not be made.</summary>
    Failed,
}
