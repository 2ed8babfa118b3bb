using MeshTrust.Topology;

namespace MeshTrust.Kubernetes;

/// <summary>One cluster's API server: the edge of the core to Kubernetes.</summary>
/// <remarks>
/// Every call retries transient faults with back-off until its deadline, and ends in a <see cref="MeshTrustException"/> that names
/// the cluster, the object and what to do: the missing verb on 403, the owner on a conflict, and so on.
/// </remarks>
public interface IClusterApi : IDisposable
{
    /// <summary>The cluster's name in the topology.</summary>
    ClusterName Cluster { get; }

    /// <summary>The server's address, for messages.</summary>
    Uri Server { get; }

    /// <summary>The server's version (<c>gitVersion</c> of /version, for instance <c>v1.32.4</c>).</summary>
    Task<string> GetVersionAsync(CancellationToken cancellationToken);

    /// <summary>One namespace; null where there is none.</summary>
    Task<NamespaceDocument?> ReadNamespaceAsync(string name, CancellationToken cancellationToken);

    /// <summary>All namespaces, read in pages.</summary>
    Task<IReadOnlyList<NamespaceDocument>> ListNamespacesAsync(CancellationToken cancellationToken);

    /// <summary>One secret; null where there is none, or where its namespace is missing.</summary>
    Task<SecretDocument?> ReadSecretAsync(string namespaceName, string name, CancellationToken cancellationToken);

    /// <summary>One ConfigMap; null where there is none, or where its namespace is missing.</summary>
    Task<ConfigMapDocument?> ReadConfigMapAsync(string namespaceName, string name, CancellationToken cancellationToken);

    /// <summary>Every ConfigMap of that name in any namespace, read in pages.</summary>
    Task<IReadOnlyList<ConfigMapDocument>> ListConfigMapsAsync(string name, CancellationToken cancellationToken);

    /// <summary>Makes the namespace exist with at least these labels and annotations, by server-side apply.</summary>
    /// <param name="wanted">What to write.</param>
    /// <param name="force">Take over labels and annotations that another manager set to something else; only on the user's word.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<ApplyOutcome> ApplyNamespaceAsync(NamespaceSpec wanted, bool force, CancellationToken cancellationToken);

    /// <summary>Makes the secret exist with this type and exactly these keys of ours, by server-side apply.</summary>
    /// <param name="secret">What to write.</param>
    /// <param name="force">Take over fields that another manager owns; only on the user's word.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<ApplyOutcome> ApplySecretAsync(SecretDocument secret, bool force, CancellationToken cancellationToken);

    /// <summary>Takes one key out of a secret, whoever owns it: an apply removes only what is its own. A key that is not there is no fault.</summary>
    Task RemoveSecretKeyAsync(string namespaceName, string name, string key, CancellationToken cancellationToken);
}
