using System.Text.Json.Nodes;
using MeshTrust.Settings;

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

    /// <summary>Whether the server and its etcd say of themselves that they are ready (<c>/readyz</c>).</summary>
    Task<bool> IsReadyAsync(CancellationToken cancellationToken);

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

    /// <summary>One object of any kind as JSON; null where there is none, or where the server does not know its kind.</summary>
    Task<JsonObject?> ReadObjectAsync(ObjectReference reference, CancellationToken cancellationToken);

    /// <summary>Every object of a kind in one namespace, or of the whole cluster, read in pages.</summary>
    /// <param name="apiVersion">Group and version, such as <c>v1</c> or <c>apps/v1</c>.</param>
    /// <param name="resource">The kind's plural, such as <c>nodes</c>.</param>
    /// <param name="namespaceName">The namespace; null for all, or for a kind that has none.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<IReadOnlyList<JsonObject>> ListObjectsAsync(string apiVersion, string resource, string? namespaceName, CancellationToken cancellationToken);

    /// <summary>Makes the object hold these fields, by server-side apply; fields that it no longer names and that were ours go.</summary>
    /// <param name="reference">Which object.</param>
    /// <param name="wanted">The fields; <c>apiVersion</c>, <c>kind</c>, <c>metadata.name</c> and <c>metadata.namespace</c> are set by the reference and need <c>kind</c> alone here.</param>
    /// <param name="dryRun">Let the server and its webhooks judge, and write nothing.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<ApplyOutcome> ApplyObjectAsync(ObjectReference reference, JsonObject wanted, bool dryRun, CancellationToken cancellationToken);

    /// <summary>Changes an object that is there, by a merge patch (RFC 7386: null removes), whoever owns the fields.</summary>
    Task MergeObjectAsync(ObjectReference reference, JsonObject patch, CancellationToken cancellationToken);
}
