using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>One cluster's API server: the edge of the core to Kubernetes.</summary>
/// <remarks>
/// Every call retries transient errors with back-off until its deadline. If it fails, the <see cref="MeshTrustException"/> names the
/// cluster, the object and the fix: the missing verb on 403, the owner on a conflict, and so on.
/// </remarks>
public interface IClusterApi : IDisposable
{
    /// <summary>Connects to a cluster: reads its kubeconfig, sends nothing yet. Credentials and TLS are those of the context.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the kubeconfig cannot be used.</exception>
    static IClusterApi Connect(ClusterAccess access) => KubernetesClusterApi.Connect(access, ClusterApiSettings.Default);

    /// <summary>The cluster's name in the topology.</summary>
    ClusterName Cluster { get; }

    /// <summary>The server's address, for messages.</summary>
    Uri Server { get; }

    /// <summary>The server's version (<c>gitVersion</c> of /version, for instance <c>v1.32.4</c>).</summary>
    Task<string> GetVersionAsync(CancellationToken cancellationToken);

    /// <summary>Whether the server and its etcd report ready (<c>/readyz</c>).</summary>
    Task<bool> IsReadyAsync(CancellationToken cancellationToken);

    /// <summary>What distinguishes this server from others without a request to it (<see cref="ResolvedContext.Endpoint"/>).</summary>
    internal string Endpoint { get; }

    /// <summary>Null if it does not exist.</summary>
    internal Task<NamespaceDocument?> ReadNamespaceAsync(string name, CancellationToken cancellationToken);

    internal Task<IReadOnlyList<NamespaceDocument>> ListNamespacesAsync(CancellationToken cancellationToken);

    /// <summary>Null where there is none, or where its namespace is missing.</summary>
    internal Task<SecretDocument?> ReadSecretAsync(string namespaceName, string name, CancellationToken cancellationToken);

    /// <summary>Null where there is none, or where its namespace is missing.</summary>
    internal Task<ConfigMapDocument?> ReadConfigMapAsync(string namespaceName, string name, CancellationToken cancellationToken);

    /// <summary>The ConfigMaps of a namespace, or of all; with a name, only those of that name.</summary>
    internal Task<IReadOnlyList<ConfigMapDocument>> ListConfigMapsAsync(
        string? namespaceName, string? name, CancellationToken cancellationToken);

    /// <summary>The namespaces that have an object of this kind (<c>secrets</c>) and name.</summary>
    internal Task<IReadOnlyList<string>> FindNamespacesAsync(string resource, string name, CancellationToken cancellationToken);

    /// <summary>
    /// Ensures by server-side apply that the namespace exists with at least these labels and annotations; <paramref name="force"/> takes
    /// over fields that another field manager set differently.
    /// </summary>
    internal Task<ApplyOutcome> ApplyNamespaceAsync(NamespaceSpec wanted, bool force, CancellationToken cancellationToken);

    /// <summary>Ensures by server-side apply that the secret has this type and, of the keys that MeshTrust owns, exactly these.</summary>
    internal Task<ApplyOutcome> ApplySecretAsync(SecretDocument secret, bool force, CancellationToken cancellationToken);

    /// <summary>One object of any kind as JSON; null if it does not exist or the server does not know its kind.</summary>
    internal Task<JsonObject?> ReadObjectAsync(ObjectReference reference, CancellationToken cancellationToken);

    /// <summary>
    /// Every object of a kind in one namespace, or in the whole cluster if no namespace is given; with a selector such as
    /// <c>labelSelector=app=istiod</c>, only those that match.
    /// </summary>
    internal Task<IReadOnlyList<JsonObject>> ListObjectsAsync(
        string apiVersion, string resource, string? namespaceName, string? selector, CancellationToken cancellationToken);

    /// <summary>
    /// Sets these fields by server-side apply; fields that MeshTrust owned and no longer sets are removed. Of the object's identity, only
    /// <c>kind</c> is required in the fields. With <paramref name="dryRun"/> the server and its webhooks validate, but nothing is written.
    /// </summary>
    internal Task<ApplyOutcome> ApplyObjectAsync(
        ObjectReference reference, JsonObject wanted, bool dryRun, bool force, CancellationToken cancellationToken);

    internal Task<ApplyOutcome> ApplyObjectAsync(
        ObjectReference reference, JsonObject wanted, bool dryRun, CancellationToken cancellationToken) =>
        ApplyObjectAsync(reference, wanted, dryRun, force: false, cancellationToken);

    /// <summary>
    /// Posts an object that the server answers and does not store (a review), or to a subresource such as
    /// <c>serviceaccounts/NAME/token</c>. Returns the answer.
    /// </summary>
    internal Task<JsonObject> PostObjectAsync(
        string apiVersion, string resource, string? namespaceName, JsonObject body, CancellationToken cancellationToken);

    /// <summary>A connection to a port of a pod, through the server. Reading it throws <see cref="IOException"/> if it breaks.</summary>
    internal Task<Stream> ForwardAsync(string namespaceName, string pod, int port, CancellationToken cancellationToken);

    /// <summary>Deletes an object, if it exists.</summary>
    internal Task DeleteObjectAsync(ObjectReference reference, CancellationToken cancellationToken);

    /// <summary>Changes an existing object by a merge patch (RFC 7386: null removes), no matter who owns the fields.</summary>
    internal Task MergeObjectAsync(ObjectReference reference, JsonObject patch, CancellationToken cancellationToken);
}

/// <summary>What a write did.</summary>
public enum ApplyOutcome
{
    /// <summary>The object did not exist.</summary>
    Created,

    /// <summary>It existed and differed.</summary>
    Changed,

    /// <summary>It was already as intended: its content is the same as before.</summary>
    Unchanged,
}
