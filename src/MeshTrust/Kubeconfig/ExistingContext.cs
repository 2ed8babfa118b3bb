using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>The context that a cluster of the topology uses, and our own kubeconfig for it.</summary>
internal sealed record ExistingContext(ClusterName Cluster, KubeconfigContext Context, KubeconfigDocument Document, string Source);
