namespace MeshTrust.Tests.Contracts;

/// <summary>Which API server a contract fixture holds to its word.</summary>
public enum ServerKind
{
    /// <summary>Ours, in this process.</summary>
    Embedded,

    /// <summary>A real kube-apiserver with its etcd: the referee.</summary>
    Native,
}
