namespace MeshTrust.Tests.Contracts;

/// <summary>Which API server a contract fixture tests.</summary>
public enum ServerKind
{
    /// <summary>The embedded server, in this process.</summary>
    Embedded,

    /// <summary>A real kube-apiserver with its etcd: the reference.</summary>
    Native,
}
