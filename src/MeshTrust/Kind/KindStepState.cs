namespace MeshTrust.Kind;

/// <summary>How a step of kind stands.</summary>
public enum KindStepState
{
    /// <summary>It has begun.</summary>
    Begun,

    /// <summary>It is done.</summary>
    Done,

    /// <summary>It failed.</summary>
    Failed,
}
