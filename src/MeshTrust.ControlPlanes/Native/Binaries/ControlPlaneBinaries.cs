namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>The programs that a native control plane is made of, found and asked for their versions.</summary>
public sealed record ControlPlaneBinaries
{
    /// <summary>The full path of <c>etcd</c>.</summary>
    public required string Etcd { get; init; }

    /// <summary>The full path of <c>kube-apiserver</c>.</summary>
    public required string ApiServer { get; init; }

    /// <summary>The full path of <c>kubectl</c>; null where there is none: no control plane needs it.</summary>
    public string? Kubectl { get; init; }

    /// <summary>Where they came from, for people: <c>KUBEBUILDER_ASSETS=/opt/kb</c>, <c>setup-envtest store 1.32.0-linux-amd64</c>, <c>PATH</c>.</summary>
    public required string Source { get; init; }

    /// <summary>The version of kube-apiserver without a <c>v</c>, as the program itself says: <c>1.32.0</c>.</summary>
    public required string Version { get; init; }

    /// <summary>The version of etcd, as the program itself says: <c>3.5.16</c>.</summary>
    public required string EtcdVersion { get; init; }
}
