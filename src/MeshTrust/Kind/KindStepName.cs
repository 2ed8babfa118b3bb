namespace MeshTrust.Kind;

/// <summary>The steps of <c>kind create cluster</c>, in their order.</summary>
public enum KindStepName
{
    /// <summary>The node image is looked for or pulled.</summary>
    Image,

    /// <summary>The nodes' containers are made.</summary>
    Nodes,

    /// <summary>The load balancer before several control planes is set up.</summary>
    LoadBalancer,

    /// <summary>kubeadm's configuration is written.</summary>
    Configuration,

    /// <summary>kubeadm makes the first control plane.</summary>
    ControlPlane,

    /// <summary>The pod network is installed.</summary>
    Cni,

    /// <summary>The storage class is installed.</summary>
    StorageClass,

    /// <summary>More control planes join.</summary>
    JoinControlPlanes,

    /// <summary>Workers join.</summary>
    JoinWorkers,

    /// <summary>kind waits for the control plane.</summary>
    Wait,
}
