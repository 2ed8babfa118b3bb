using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>What one cluster held when it was read. It carries the CA key: never write it out.</summary>
public sealed class ClusterSnapshot
{
    private SigningBundle? _bundle;

    /// <summary>The cluster's name in the topology.</summary>
    public required ClusterName Name { get; init; }

    /// <summary>The kubeconfig context that was read.</summary>
    public required string Context { get; init; }

    /// <summary>The API server's address; null where it could not be told.</summary>
    public Uri? Server { get; init; }

    /// <summary>The secret <c>cacerts</c> in istiod's namespace; null where there is none or it could not be read.</summary>
    internal SecretDocument? Cacerts { get; init; }

    /// <summary>The secret <c>istio-ca-secret</c> of a self-signed istiod; null where there is none.</summary>
    internal SecretDocument? SelfSigned { get; init; }

    /// <summary>All namespaces.</summary>
    internal IReadOnlyList<NamespaceDocument> Namespaces { get; init; } = [];

    /// <summary>The ConfigMaps <c>istio-ca-root-cert</c> of all namespaces.</summary>
    internal IReadOnlyList<ConfigMapDocument> RootConfigMaps { get; init; } = [];

    /// <summary>The ConfigMap <c>istio-ca-crl</c> in istiod's namespace; null where there is none.</summary>
    internal ConfigMapDocument? Crl { get; init; }

    /// <summary>The ConfigMap <c>istio</c> (key <c>mesh</c>) in istiod's namespace; null where Istio is not there.</summary>
    internal ConfigMapDocument? MeshConfig { get; init; }

    /// <summary>What could not be read, and why.</summary>
    public IReadOnlyList<UnreadObject> Unread { get; init; } = [];

    /// <summary>The secret, parsed once; null where there is none.</summary>
    internal SigningBundle? Bundle =>
        Cacerts is null ? null : LazyInitializer.EnsureInitialized(ref _bundle, () => new SigningBundle(Name.Value, Cacerts));

    /// <summary>Whether this part could not be read.</summary>
    public bool Lacks(SnapshotPart part) => Unread.Any(u => u.Kind == part);

    /// <summary>Name and context only.</summary>
    public override string ToString() => $"{Name} ({Context})";
}
