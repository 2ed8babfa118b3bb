namespace MeshTrust.Verification;

/// <summary>What a node of one cluster calls in another.</summary>
public enum PeerPath
{
    /// <summary>The API server, by the name of its node.</summary>
    ApiServer,

    /// <summary>A pod, by its own address.</summary>
    Pod,

    /// <summary>The Service <c>kubernetes</c>, by its cluster IP.</summary>
    Service,
}
