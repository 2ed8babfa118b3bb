using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>What a cluster trusts before a push: all that <see cref="PushGuard"/> looks at.</summary>
public sealed record LiveTrust
{
    /// <summary>The secret in which a self-signed istiod keeps its CA (security/pkg/pki/ca/ca.go).</summary>
    public const string SelfSignedName = "istio-ca-secret";

    /// <summary>The ConfigMap by which istiod hands its root to the workloads of a namespace.</summary>
    public const string RootConfigMapName = "istio-ca-root-cert";

    /// <summary>The cluster.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>The secret <c>cacerts</c>; null for none.</summary>
    public SecretDocument? Cacerts { get; init; }

    /// <summary>The ConfigMap of istiod's own namespace; null for none.</summary>
    public ConfigMapDocument? RootConfigMap { get; init; }

    /// <summary>The secret of a self-signed istiod; null for none.</summary>
    public SecretDocument? SelfSigned { get; init; }

    /// <summary>The ConfigMaps of all namespaces, by which workloads get the live root; null where they were not read or may not be.</summary>
    public IReadOnlyList<ConfigMapDocument>? RootConfigMaps { get; init; }

    /// <summary>Reads it.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: something could not be read, so nothing can be said.</exception>
    public static async Task<LiveTrust> ReadAsync(IClusterApi api, string namespaceName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(api);
        var cacerts = api.ReadSecretAsync(namespaceName, CacertsSecret.Name, cancellationToken);
        var selfSigned = api.ReadSecretAsync(namespaceName, SelfSignedName, cancellationToken);
        var root = api.ReadConfigMapAsync(namespaceName, RootConfigMapName, cancellationToken);
        await Task.WhenAll(cacerts, selfSigned, root).ConfigureAwait(false);
        return new LiveTrust
        {
            Cluster = api.Cluster,
            Cacerts = await cacerts.ConfigureAwait(false),
            SelfSigned = await selfSigned.ConfigureAwait(false),
            RootConfigMap = await root.ConfigureAwait(false),
        };
    }

    /// <summary>The same, with the ConfigMaps of all namespaces, as far as they may be read.</summary>
    public async Task<LiveTrust> WithAllNamespacesAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(api);
        try
        {
            return this with { RootConfigMaps = await api.ListConfigMapsAsync(RootConfigMapName, cancellationToken).ConfigureAwait(false) };
        }
        catch (MeshTrustException)
        {
            // The ConfigMap of istiod's own namespace is still there to judge by.
            return this;
        }
    }
}
