namespace MeshTrust.Settings;

/// <summary>What gives addresses to Services of type LoadBalancer.</summary>
public enum LoadBalancerKind
{
    /// <summary>MetalLB in layer 2 mode, in every cluster.</summary>
    MetalLb,

    /// <summary>cloud-provider-kind: one program of the host for all clusters.</summary>
    CloudProviderKind,

    /// <summary>Nothing.</summary>
    None,
}
