namespace MeshTrust.Verification;

/// <summary>The parts of a cluster that a snapshot holds.</summary>
public enum SnapshotPart
{
    /// <summary>The secret <c>cacerts</c>.</summary>
    Cacerts,

    /// <summary>The secret <c>istio-ca-secret</c> of a self-signed istiod.</summary>
    SelfSigned,

    /// <summary>The namespaces with their labels.</summary>
    Namespaces,

    /// <summary>The ConfigMaps <c>istio-ca-root-cert</c>.</summary>
    RootConfigMaps,

    /// <summary>The ConfigMap <c>istio-ca-crl</c>.</summary>
    Crl,

    /// <summary>The ConfigMap <c>istio</c> with the mesh configuration.</summary>
    MeshConfig,
}
