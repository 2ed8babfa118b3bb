namespace MeshTrust.ControlPlanes.Native;

/// <summary>How kube-apiserver reaches its etcd, which asks nobody who he is.</summary>
public enum EtcdTransport
{
    /// <summary>A Unix socket where the platform and the length of the path allow it and etcd takes it, else TCP.</summary>
    Auto,

    /// <summary>A Unix socket in a directory that only its owner can enter.</summary>
    Unix,

    /// <summary>TCP on loopback: every user of the machine can read and write what the control plane holds.</summary>
    Tcp,
}
