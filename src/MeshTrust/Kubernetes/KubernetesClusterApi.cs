using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>An API server: server-side apply under MeshTrust's own field manager, lists in pages, retries.</summary>
internal sealed class KubernetesClusterApi(ApiTransport transport, ClusterApiSettings settings, bool ownsTransport) : IClusterApi
{
    /// <summary>The name under which the server keeps what MeshTrust owns.</summary>
    internal const string FieldManager = "meshtrust";

    private const int MaxRestarts = 3;

    public ClusterName Cluster => transport.Cluster;
    public Uri Server => transport.Server;
    public string Endpoint => transport.Endpoint;

    internal static IClusterApi Connect(ClusterAccess access, ClusterApiSettings settings) =>
        new KubernetesClusterApi(ApiTransport.Open(access, settings), settings, ownsTransport: true);

    public async Task<string> GetVersionAsync(CancellationToken cancellationToken)
    {
        using var client = Begin(cancellationToken);
        var request = new ApiRequest { Path = "/version" };
        var response = await client.SendAsync(request).ConfigureAwait(false);
        return client.Read(request, response, json => json.GetProperty("gitVersion").GetString()!);
    }

    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        using var client = Begin(cancellationToken);
        return (await client.SendAsync(new ApiRequest { Path = "/readyz" }).ConfigureAwait(false)).IsSuccess;
    }

    public Task<NamespaceDocument?> ReadNamespaceAsync(string name, CancellationToken cancellationToken) =>
        ReadAsync(Get("namespaces", null, name), KubernetesObjects.Namespace, cancellationToken);

    public Task<IReadOnlyList<NamespaceDocument>> ListNamespacesAsync(CancellationToken cancellationToken) =>
        ListAsync(List("v1", "namespaces", null), "", KubernetesObjects.Namespace, cancellationToken);

    public Task<SecretDocument?> ReadSecretAsync(string namespaceName, string name, CancellationToken cancellationToken) =>
        ReadAsync(Get("secrets", namespaceName, name), KubernetesObjects.Secret, cancellationToken);

    public Task<ConfigMapDocument?> ReadConfigMapAsync(string namespaceName, string name, CancellationToken cancellationToken) =>
        ReadAsync(Get("configmaps", namespaceName, name), KubernetesObjects.ConfigMap, cancellationToken);

    public async Task<IReadOnlyList<ConfigMapDocument>> ListConfigMapsAsync(
        string? namespaceName, string? name, CancellationToken cancellationToken)
    {
        var list = List("v1", "configmaps", namespaceName);
        var found = await ListAsync(list, Named(name), KubernetesObjects.ConfigMap, cancellationToken).ConfigureAwait(false);
        return [.. found.Where(c => name is null || c.Name == name)];
    }

    public Task<IReadOnlyList<string>> FindNamespacesAsync(string resource, string name, CancellationToken cancellationToken) => ListAsync(
        List("v1", resource, null), Named(name), json => json.GetProperty("metadata").GetProperty("namespace").GetString()!,
        cancellationToken);

    public Task<ApplyOutcome> ApplyNamespaceAsync(NamespaceSpec wanted, bool force, CancellationToken cancellationToken) => ApplyAsync(
        Get("namespaces", null, wanted.Name), v => KubernetesObjects.Apply(wanted, v), Force(force), cancellationToken);

    public Task<ApplyOutcome> ApplySecretAsync(SecretDocument secret, bool force, CancellationToken cancellationToken) => ApplyAsync(
        Get("secrets", secret.Namespace, secret.Name), v => KubernetesObjects.Apply(secret, v), Force(force), cancellationToken);

    public Task<JsonObject?> ReadObjectAsync(ObjectReference reference, CancellationToken cancellationToken) =>
        ReadAsync(Get(reference), KubernetesObjects.Whole, cancellationToken, isMissing: response => response.StatusCode == 404);

    public Task<IReadOnlyList<JsonObject>> ListObjectsAsync(
        string apiVersion, string resource, string? namespaceName, string? selector, CancellationToken cancellationToken)
    {
        var query = selector?.Split('=', 2) is [var key, var value] ? $"{key}={Uri.EscapeDataString(value)}&" : "";
        return ListAsync(List(apiVersion, resource, namespaceName), query, KubernetesObjects.Whole, cancellationToken);
    }

    public Task<ApplyOutcome> ApplyObjectAsync(
        ObjectReference reference, JsonObject wanted, bool dryRun, bool force, CancellationToken cancellationToken)
    {
        var options = Force(force) + (dryRun ? "&dryRun=All" : "");
        return ApplyAsync(Get(reference), version => KubernetesObjects.Apply(reference, wanted, version), options, cancellationToken);
    }

    public Task MergeObjectAsync(ObjectReference reference, JsonObject patch, CancellationToken cancellationToken) =>
        MergeAsync(Get(reference), JsonSerializer.SerializeToUtf8Bytes<JsonNode>(patch), cancellationToken);

    public async Task<JsonObject> PostObjectAsync(
        string apiVersion, string resource, string? namespaceName, JsonObject body, CancellationToken cancellationToken)
    {
        using var client = Begin(cancellationToken);
        var request = List(apiVersion, resource, namespaceName) with
        {
            Method = HttpMethod.Post,
            Verb = "create",
            ContentType = "application/json",
            Body = JsonSerializer.SerializeToUtf8Bytes<JsonNode>(body),
        };
        return client.Read(request, await client.SendAsync(request).ConfigureAwait(false), KubernetesObjects.Whole);
    }

    public async Task DeleteObjectAsync(ObjectReference reference, CancellationToken cancellationToken)
    {
        using var client = Begin(cancellationToken);
        var request = Get(reference) with { Method = HttpMethod.Delete, Verb = "delete" };
        var response = await client.SendAsync(request).ConfigureAwait(false);
        if (!IsMissing(response)) client.EnsureSuccess(request, response);
    }

    public Task<Stream> ForwardAsync(string namespaceName, string pod, int port, CancellationToken cancellationToken) =>
        transport.ForwardAsync(namespaceName, pod, port, settings.Stage, cancellationToken);

    public void Dispose()
    {
        if (ownsTransport) transport.Dispose();
    }

    private static string Force(bool force) => force ? "&force=true" : "&force=false";

    private static string Named(string? name) => name is null ? "" : $"fieldSelector={Uri.EscapeDataString($"metadata.name={name}")}&";

    private static ApiRequest Get(string resource, string? ns, string name) => Get(new ObjectReference("v1", resource, ns, name));

    private static ApiRequest Get(ObjectReference reference) => new()
    {
        Path = $"{PathOf(reference.ApiVersion, reference.Namespace, reference.Resource)}/{Uri.EscapeDataString(reference.Name)}",
        Resource = reference.Resource,
        Namespace = reference.Namespace,
        Name = reference.Name,
    };

    private static ApiRequest List(string apiVersion, string resource, string? ns) =>
        new() { Path = PathOf(apiVersion, ns, resource), Verb = "list", Resource = resource, Namespace = ns };

    private static string PathOf(string apiVersion, string? ns, string resource) =>
        $"/{(apiVersion.Contains('/', StringComparison.Ordinal) ? "apis" : "api")}/{apiVersion}/"
        + $"{(ns is null ? "" : $"namespaces/{Uri.EscapeDataString(ns)}/")}{resource}";

    private static ApiRequest Patch(ApiRequest get, string contentType, byte[] body, string options = "") => get with
    {
        Method = HttpMethod.Patch,
        Path = $"{get.Path}?fieldManager={FieldManager}{options}",
        Verb = "patch",
        ContentType = contentType,
        Body = body,
    };

    private RetryingApiClient Begin(CancellationToken cancellationToken) => new(transport, settings, cancellationToken);

    private async Task<T?> ReadAsync<T>(
        ApiRequest request, Func<JsonElement, T> read, CancellationToken cancellationToken, Func<ApiResponse, bool>? isMissing = null)
        where T : class
    {
        using var client = Begin(cancellationToken);
        var response = await client.SendAsync(request).ConfigureAwait(false);
        return (isMissing ?? IsMissing)(response) ? null : client.Read(request, response, read);
    }

    private async Task MergeAsync(ApiRequest get, byte[] body, CancellationToken cancellationToken)
    {
        using var client = Begin(cancellationToken);
        var patch = Patch(get, "application/merge-patch+json", body);
        client.EnsureSuccess(patch, await client.SendAsync(patch).ConfigureAwait(false));
    }

    private async Task<IReadOnlyList<T>> ListAsync<T>(
        ApiRequest list, string selector, Func<JsonElement, T> read, CancellationToken cancellationToken)
    {
        using var client = Begin(cancellationToken);
        var items = new List<T>();
        var next = "";
        for (var restarts = 0; ;)
        {
            var from = next.Length == 0 ? "" : $"&continue={Uri.EscapeDataString(next)}";
            var request = list with { Path = $"{list.Path}?{selector}limit={settings.PageSize}{from}" };
            var response = await client.SendAsync(request).ConfigureAwait(false);
            if (response.StatusCode == 410 && next.Length > 0 && restarts++ < MaxRestarts)
            {
                // The server dropped the snapshot that the pages came from: half an old list and half a new one would match neither.
                items.Clear();
                next = "";
                continue;
            }

            next = client.Read(request, response, json =>
            {
                var page = json.GetProperty("items");
                if (page.ValueKind != JsonValueKind.Null) items.AddRange(page.EnumerateArray().Select(read));
                return json.TryGetProperty("metadata", out var metadata) && metadata.TryGetProperty("continue", out var token)
                    ? token.GetString() ?? "" : "";
            });
            if (next.Length == 0) return items;
        }
    }

    /// <summary>
    /// Reads, then applies on condition that nothing else wrote in between, so the outcome is what this call did. If something did write,
    /// it retries.
    /// </summary>
    private async Task<ApplyOutcome> ApplyAsync(
        ApiRequest get, Func<string?, byte[]> body, string options, CancellationToken cancellationToken)
    {
        using var client = Begin(cancellationToken);
        var mayHaveBeenApplied = false;
        (string? Version, string? Content) first = default;
        for (var tries = 1; ; tries++)
        {
            var found = await client.SendAsync(get).ConfigureAwait(false);
            var before = IsMissing(found) ? default : client.Read(get, found, State);
            if (tries == 1) first = before;
            var patch = Patch(get, "application/apply-patch+yaml", body(before.Version), options);
            var response = await client.SendAsync(patch).ConfigureAwait(false);
            mayHaveBeenApplied |= response.MayHaveBeenApplied;
            if (response.StatusCode == 409 && tries < Backoff.MaxAttempts && IsRace(response)) continue;
            var after = client.Read(patch, response, State);
            // A lost response may belong to a patch of this call that was applied: then compare with the state before the first attempt.
            var reference = mayHaveBeenApplied ? first : before;
            if (reference.Content is { } content) return content == after.Content ? ApplyOutcome.Unchanged : ApplyOutcome.Changed;
            return mayHaveBeenApplied || response.StatusCode == 201 ? ApplyOutcome.Created : ApplyOutcome.Changed;
        }

        // Only the managers of its fields may have moved: then the content is the same, though the version is not.
        static (string? Version, string? Content) State(JsonElement json) =>
            (KubernetesObjects.ResourceVersion(json), KubernetesObjects.Content(json));
    }

    /// <summary>Another writer was faster. A conflict over a field's owner does not go away with a retry.</summary>
    private static bool IsRace(ApiResponse response) => ApiStatus.Read(response).Causes.All(c => c.Reason != "FieldManagerConflict");

    private static bool IsMissing(ApiResponse response) =>
        response.StatusCode == 404 && ApiStatus.Read(response) is { IsStatus: true, Kind: not null };
}

/// <summary>How long a <see cref="KubernetesClusterApi"/> tries, and what it reports if it fails.</summary>
internal sealed record ClusterApiSettings
{
    internal static ClusterApiSettings Default { get; } = new();

    /// <summary>How long one call may take with all its retries.</summary>
    internal TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one attempt may take before it counts as lost and is repeated.</summary>
    internal TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The pause before the first repetition; each further one is twice as long, with jitter, at most five seconds.</summary>
    internal TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The largest number of objects that one page of a list holds.</summary>
    internal int PageSize { get; init; } = 500;

    /// <summary>The part of the run that makes the calls: its problems have this stage.</summary>
    internal Stage Stage { get; init; } = Stage.Contexts;

    /// <summary>Says why a cluster no longer answers, if its provider saw it exit; called when a connection fails.</summary>
    internal Func<ClusterName, Problem?> FaultOf { get; init; } = _ => null;

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Hands the terminal to a credential command, which may prompt, until the result is disposed; null if there is no terminal.
    /// </summary>
    internal Func<CancellationToken, Task<IDisposable>>? Prompt { get; init; }
}

/// <summary>
/// The connections of one run: one to each cluster, opened when a task first needs it and shared by later tasks. Later changes to the
/// kubeconfig file do not matter.
/// </summary>
internal sealed class ClusterConnections(ClusterApiSettings settings) : IDisposable
{
    private readonly ConcurrentDictionary<ClusterAccess, ApiTransport> _transports = new();

    /// <summary>One cluster, for the calls of one stage. Disposing it leaves the connection open.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the kubeconfig cannot be used.</exception>
    internal IClusterApi Open(ClusterAccess access, Stage stage)
    {
        var transport = _transports.GetOrAdd(access, a => ApiTransport.Open(a, settings));
        return new KubernetesClusterApi(transport, settings with { Stage = stage }, ownsTransport: false);
    }

    public void Dispose()
    {
        foreach (var access in _transports.Keys)
            if (_transports.TryRemove(access, out var transport)) transport.Dispose();
    }
}
