namespace MeshTrust.Settings;

/// <summary>Between which clusters pods and services have routes.</summary>
public enum RouteScope
{
    /// <summary>Between clusters of one Istio network.</summary>
    SameNetwork,

    /// <summary>Between all clusters.</summary>
    All,

    /// <summary>None.</summary>
    None,
}
