namespace MeshTrust.Settings;

/// <summary>Where clusters come from.</summary>
public enum ProviderChoice
{
    /// <summary>Existing contexts where they are named, else kind where a container engine answers and kind is there, else native where its programs are there, else embedded.</summary>
    Auto,

    /// <summary>kind clusters: nodes as containers of Docker or Podman.</summary>
    Kind,

    /// <summary>etcd and kube-apiserver as processes of this machine for each cluster.</summary>
    Native,

    /// <summary>An in-process Kubernetes API server for each cluster.</summary>
    Embedded,

    /// <summary>The user's kubeconfig and contexts.</summary>
    Existing,
}
