using System.Text.Json.Nodes;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Kubernetes;

/// <summary>An in-memory cluster, with a list of what was written to it.</summary>
internal sealed class MemoryClusterApi(string name) : IClusterApi
{
    internal Dictionary<string, NamespaceDocument> Namespaces { get; } = new() { ["kube-system"] = new NamespaceDocument { Name = "kube-system", Uid = $"uid-{name}", Labels = new Dictionary<string, string>() } };

    internal Dictionary<string, SecretDocument> Secrets { get; } = [];

    internal Dictionary<string, ConfigMapDocument> ConfigMaps { get; } = [];

    /// <summary>Objects of any other kind, by their reference.</summary>
    internal Dictionary<ObjectReference, JsonObject> Objects { get; } = [];

    internal List<string> Writes { get; } = [];

    /// <summary>Called after a secret was written, such as for an istiod that publishes its root.</summary>
    internal Action? Applied { get; set; }

    /// <summary>Thrown by the call of this name.</summary>
    internal Dictionary<string, Problem> Faults { get; } = [];

    internal string Version { get; set; } = "v1.34.0";

    public ClusterName Cluster { get; } = ClusterName.Parse(name);

    public Uri Server { get; } = new($"https://{name}.example");

    public string Endpoint { get; set; } = name;

    public Task<string> GetVersionAsync(CancellationToken cancellationToken) => Answer("version", Version);

    public Task<bool> IsReadyAsync(CancellationToken cancellationToken) => Answer("readyz", true);

    public Task<NamespaceDocument?> ReadNamespaceAsync(string name, CancellationToken cancellationToken) => Answer("get namespace", Namespaces.GetValueOrDefault(name));

    public Task<IReadOnlyList<NamespaceDocument>> ListNamespacesAsync(CancellationToken cancellationToken) => Answer<IReadOnlyList<NamespaceDocument>>("list namespaces", [.. Namespaces.Values]);

    public Task<SecretDocument?> ReadSecretAsync(string namespaceName, string name, CancellationToken cancellationToken) => Answer("get secret", Secrets.GetValueOrDefault($"{namespaceName}/{name}"));

    public Task<ConfigMapDocument?> ReadConfigMapAsync(string namespaceName, string name, CancellationToken cancellationToken) => Answer("get configmap", ConfigMaps.GetValueOrDefault($"{namespaceName}/{name}"));

    public Task<IReadOnlyList<ConfigMapDocument>> ListConfigMapsAsync(string? namespaceName, string? name, CancellationToken cancellationToken) =>
        Answer<IReadOnlyList<ConfigMapDocument>>("list configmaps", [.. ConfigMaps.Values.Where(c => (name is null || c.Name == name) && (namespaceName is null || c.Namespace == namespaceName))]);

    public Task<ApplyOutcome> ApplyNamespaceAsync(NamespaceSpec wanted, bool force, CancellationToken cancellationToken)
    {
        Writes.Add($"namespace {wanted.Name} force={force}");
        var outcome = Namespaces.ContainsKey(wanted.Name) ? ApplyOutcome.Changed : ApplyOutcome.Created;
        Namespaces[wanted.Name] = new NamespaceDocument { Name = wanted.Name, Uid = "u", Labels = wanted.Labels, Annotations = wanted.Annotations };
        return Answer("apply namespace", outcome);
    }

    public Task<ApplyOutcome> ApplySecretAsync(SecretDocument secret, bool force, CancellationToken cancellationToken)
    {
        Writes.Add($"secret {secret.Name} force={force} keys={string.Join(',', secret.Data.Keys.Order(StringComparer.Ordinal))}");
        var key = $"{secret.Namespace}/{secret.Name}";
        var outcome = !Secrets.TryGetValue(key, out var held) ? ApplyOutcome.Created
            : held.Data.Count == secret.Data.Count && held.Data.All(d => secret.Data.TryGetValue(d.Key, out var v) && v.SequenceEqual(d.Value)) ? ApplyOutcome.Unchanged : ApplyOutcome.Changed;
        Secrets[key] = secret;
        Applied?.Invoke();
        return Answer("apply secret", outcome);
    }

    public Task<IReadOnlyList<string>> FindNamespacesAsync(string resource, string name, CancellationToken cancellationToken) => Answer<IReadOnlyList<string>>(
        $"find {resource}",
        [.. (resource == "secrets" ? Secrets.Keys : (IEnumerable<string>)ConfigMaps.Keys).Where(k => k.EndsWith("/" + name, StringComparison.Ordinal)).Select(k => k.Split('/')[0])]);

    public Task<JsonObject?> ReadObjectAsync(ObjectReference reference, CancellationToken cancellationToken) => Answer($"get {reference}", Objects.GetValueOrDefault(reference));

    public Task<IReadOnlyList<JsonObject>> ListObjectsAsync(string apiVersion, string resource, string? namespaceName, string? selector, CancellationToken cancellationToken) => Answer<IReadOnlyList<JsonObject>>(
        $"list {resource}",
        [.. Objects.Where(o => o.Key.ApiVersion == apiVersion && o.Key.Resource == resource && (namespaceName is null || o.Key.Namespace == namespaceName)).Select(o => o.Value).Where(o => IsSelected(o, selector))]);

    private static bool IsSelected(JsonObject found, string? selector) =>
        selector?.Split('=') is not ["labelSelector", var key, var value] || found["metadata"]?["labels"]?[key]?.ToString() == value;

    public Task<ApplyOutcome> ApplyObjectAsync(ObjectReference reference, JsonObject wanted, bool dryRun, bool force, CancellationToken cancellationToken)
    {
        if (Faults.ContainsKey($"apply {reference}")) return Answer($"apply {reference}", ApplyOutcome.Unchanged);
        var held = Objects.GetValueOrDefault(reference);
        if (dryRun) return Task.FromResult(ApplyOutcome.Unchanged);
        Writes.Add(reference.ToString());
        Objects[reference] = wanted;
        return Task.FromResult(held is null ? ApplyOutcome.Created : JsonNode.DeepEquals(held, wanted) ? ApplyOutcome.Unchanged : ApplyOutcome.Changed);
    }

    public Task MergeObjectAsync(ObjectReference reference, JsonObject patch, CancellationToken cancellationToken)
    {
        Writes.Add($"merge {reference} {patch.ToJsonString()}");
        return Answer($"merge {reference}", true);
    }

    /// <summary>Responds to posted objects, by resource.</summary>
    internal Dictionary<string, JsonObject> Posts { get; } = [];

    /// <summary>Connects to a pod, by its name.</summary>
    internal Func<string, CancellationToken, Task<Stream>>? Forward { get; set; }

    public Task<JsonObject> PostObjectAsync(string apiVersion, string resource, string? namespaceName, JsonObject body, CancellationToken cancellationToken) =>
        Answer($"post {resource}", Posts.GetValueOrDefault(resource) ?? throw new NotSupportedException(resource));

    public Task<Stream> ForwardAsync(string namespaceName, string pod, int port, CancellationToken cancellationToken) =>
        Faults.ContainsKey($"forward {pod}") ? Answer<Stream>($"forward {pod}", Stream.Null) : Forward!(pod, cancellationToken);

    public Task DeleteObjectAsync(ObjectReference reference, CancellationToken cancellationToken) => throw new NotSupportedException();

    public void Dispose()
    {
        // Nothing is open.
    }

    private Task<T> Answer<T>(string call, T value) =>
        Faults.TryGetValue(call, out var problem) ? Task.FromException<T>(new MeshTrustException(Stage.Contexts, problem)) : Task.FromResult(value);
}
