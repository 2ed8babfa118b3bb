using System.Text.Json.Nodes;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace MeshTrust.Benchmarks.Planes;

/// <summary>A cluster's API that replaces one namespace with another: several clusters of a mesh on one server.</summary>
internal sealed class OwnNamespace(IClusterApi inner, string usual, string own) : IClusterApi
{
    public ClusterName Cluster => inner.Cluster;

    public Uri Server => inner.Server;

    public string Endpoint => inner.Endpoint;

    public Task<string> GetVersionAsync(CancellationToken cancellationToken) => inner.GetVersionAsync(cancellationToken);

    public Task<bool> IsReadyAsync(CancellationToken cancellationToken) => inner.IsReadyAsync(cancellationToken);

    public async Task<NamespaceDocument?> ReadNamespaceAsync(string name, CancellationToken cancellationToken) =>
        await inner.ReadNamespaceAsync(To(name), cancellationToken).ConfigureAwait(false) is { } found ? found with { Name = From(found.Name) } : null;

    public async Task<IReadOnlyList<NamespaceDocument>> ListNamespacesAsync(CancellationToken cancellationToken) =>
        [.. (await inner.ListNamespacesAsync(cancellationToken).ConfigureAwait(false)).Select(found => found with { Name = From(found.Name) })];

    public async Task<SecretDocument?> ReadSecretAsync(string namespaceName, string name, CancellationToken cancellationToken) =>
        await inner.ReadSecretAsync(To(namespaceName), name, cancellationToken).ConfigureAwait(false) is { } found ? found with { Namespace = From(found.Namespace) } : null;

    public async Task<ConfigMapDocument?> ReadConfigMapAsync(string namespaceName, string name, CancellationToken cancellationToken) =>
        await inner.ReadConfigMapAsync(To(namespaceName), name, cancellationToken).ConfigureAwait(false) is { } found ? found with { Namespace = From(found.Namespace) } : null;

    public async Task<IReadOnlyList<ConfigMapDocument>> ListConfigMapsAsync(string? namespaceName, string? name, CancellationToken cancellationToken) =>
        [.. (await inner.ListConfigMapsAsync(namespaceName is null ? null : To(namespaceName), name, cancellationToken).ConfigureAwait(false)).Select(found => found with { Namespace = From(found.Namespace) })];

    public Task<ApplyOutcome> ApplyNamespaceAsync(NamespaceSpec wanted, bool force, CancellationToken cancellationToken) =>
        inner.ApplyNamespaceAsync(wanted with { Name = To(wanted.Name) }, force, cancellationToken);

    public Task<ApplyOutcome> ApplySecretAsync(SecretDocument secret, bool force, CancellationToken cancellationToken) =>
        inner.ApplySecretAsync(secret with { Namespace = To(secret.Namespace) }, force, cancellationToken);

    public Task<IReadOnlyList<string>> FindNamespacesAsync(string resource, string name, CancellationToken cancellationToken) =>
        inner.FindNamespacesAsync(resource, name, cancellationToken);

    public Task<JsonObject?> ReadObjectAsync(ObjectReference reference, CancellationToken cancellationToken) => inner.ReadObjectAsync(reference, cancellationToken);

    public Task<IReadOnlyList<JsonObject>> ListObjectsAsync(string apiVersion, string resource, string? namespaceName, string? selector, CancellationToken cancellationToken) =>
        inner.ListObjectsAsync(apiVersion, resource, namespaceName is null ? null : To(namespaceName), selector, cancellationToken);

    public Task<JsonObject> PostObjectAsync(string apiVersion, string resource, string? namespaceName, JsonObject body, CancellationToken cancellationToken) =>
        inner.PostObjectAsync(apiVersion, resource, namespaceName, body, cancellationToken);

    public Task<Stream> ForwardAsync(string namespaceName, string pod, int port, CancellationToken cancellationToken) =>
        inner.ForwardAsync(To(namespaceName), pod, port, cancellationToken);

    public Task DeleteObjectAsync(ObjectReference reference, CancellationToken cancellationToken) => inner.DeleteObjectAsync(reference, cancellationToken);

    public Task<ApplyOutcome> ApplyObjectAsync(ObjectReference reference, JsonObject wanted, bool dryRun, bool force, CancellationToken cancellationToken) =>
        inner.ApplyObjectAsync(reference, wanted, dryRun, force, cancellationToken);

    public Task MergeObjectAsync(ObjectReference reference, JsonObject patch, CancellationToken cancellationToken) => inner.MergeObjectAsync(reference, patch, cancellationToken);

    public void Dispose() => inner.Dispose();

    private string To(string name) => name == usual ? own : name;

    private string From(string name) => name == own ? usual : name;
}
