using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>One cluster's API server: the edge of the core to Kubernetes.</summary>
/// <remarks>
/// Every call retries transient errors with back-off until its deadline, and ends in a <see cref="MeshTrustException"/> that names the
/// cluster, the object and what to do: the missing verb on 403, the owner on a conflict, and so on.
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

    /// <summary>Whether the server and its etcd report themselves ready (<c>/readyz</c>).</summary>
    Task<bool> IsReadyAsync(CancellationToken cancellationToken);

    /// <summary>What tells this server from another one without asking it (<see cref="ResolvedContext.Endpoint"/>).</summary>
    internal string Endpoint { get; }

    /// <summary>Null where there is none.</summary>
    internal Task<NamespaceDocument?> ReadNamespaceAsync(string name, CancellationToken cancellationToken);

    internal Task<IReadOnlyList<NamespaceDocument>> ListNamespacesAsync(CancellationToken cancellationToken);

    /// <summary>Null where there is none, or where its namespace is missing.</summary>
    internal Task<SecretDocument?> ReadSecretAsync(string namespaceName, string name, CancellationToken cancellationToken);

    /// <summary>Null where there is none, or where its namespace is missing.</summary>
    internal Task<ConfigMapDocument?> ReadConfigMapAsync(string namespaceName, string name, CancellationToken cancellationToken);

    /// <summary>Every ConfigMap of that name in any namespace.</summary>
    internal Task<IReadOnlyList<ConfigMapDocument>> ListConfigMapsAsync(string name, CancellationToken cancellationToken);

    /// <summary>Makes the namespace exist with at least these labels and annotations, by server-side apply.</summary>
    /// <param name="wanted">What to write.</param>
    /// <param name="force">Take over what another field manager set to something else.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    internal Task<ApplyOutcome> ApplyNamespaceAsync(NamespaceSpec wanted, bool force, CancellationToken cancellationToken);

    /// <summary>Makes the secret exist with this type and, of the keys that MeshTrust owns, exactly these, by server-side apply.</summary>
    internal Task<ApplyOutcome> ApplySecretAsync(SecretDocument secret, bool force, CancellationToken cancellationToken);

    /// <summary>Takes one key out of a secret, if it is there, no matter who owns it: an apply removes only its own.</summary>
    internal Task RemoveSecretKeyAsync(string namespaceName, string name, string key, CancellationToken cancellationToken);

    /// <summary>One object of any kind as JSON; null where there is none, or where the server does not know its kind.</summary>
    internal Task<JsonObject?> ReadObjectAsync(ObjectReference reference, CancellationToken cancellationToken);

    /// <summary>Every object of a kind in one namespace; in the whole cluster where no namespace is given.</summary>
    internal Task<IReadOnlyList<JsonObject>> ListObjectsAsync(
        string apiVersion, string resource, string? namespaceName, CancellationToken cancellationToken);

    /// <summary>Makes the object hold these fields, by server-side apply; what MeshTrust owned and no longer names goes.</summary>
    /// <param name="reference">Which object.</param>
    /// <param name="wanted">The fields; of the type and the name, <c>kind</c> alone is needed here.</param>
    /// <param name="dryRun">Let the server and its webhooks judge, and write nothing.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    internal Task<ApplyOutcome> ApplyObjectAsync(
        ObjectReference reference, JsonObject wanted, bool dryRun, CancellationToken cancellationToken);

    /// <summary>Changes an object that is there, by a merge patch (RFC 7386: null removes), no matter who owns the fields.</summary>
    internal Task MergeObjectAsync(ObjectReference reference, JsonObject patch, CancellationToken cancellationToken);
}

/// <summary>What a write did.</summary>
public enum ApplyOutcome
{
    /// <summary>The object was not there.</summary>
    Created,

    /// <summary>It was there and differed.</summary>
    Changed,

    /// <summary>It was there as wanted: same resourceVersion as before.</summary>
    Unchanged,
}
