namespace MeshTrust.Settings;

/// <summary>Istio's two data planes.</summary>
public enum DataPlaneMode
{
    /// <summary>An Envoy beside each workload.</summary>
    Sidecar,

    /// <summary>A ztunnel on each node: it has no multi-root, so every cluster needs the same single root (istio/istio#61719).</summary>
    Ambient,
}
