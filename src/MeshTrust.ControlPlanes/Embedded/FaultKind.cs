namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>What goes wrong with a request.</summary>
public enum FaultKind
{
    /// <summary>An error status is answered and nothing is done.</summary>
    Status,

    /// <summary>The connection is dropped and nothing is done.</summary>
    DropBefore,

    /// <summary>The request is carried out, then the connection is dropped: the client cannot know.</summary>
    DropAfter,

    /// <summary>The request is carried out late.</summary>
    Delay,

    /// <summary>The request is carried out and half of the answer's body is sent before the connection drops.</summary>
    TruncatedBody,

    /// <summary>The request is carried out and the body of the answer is no JSON.</summary>
    GarbageBody,
}
