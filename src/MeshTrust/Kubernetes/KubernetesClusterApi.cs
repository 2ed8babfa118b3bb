using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>An API server over KubernetesClient: server-side apply under our own field manager, lists in pages, patience with passing faults.</summary>
public sealed class KubernetesClusterApi : IClusterApi
{
    /// <summary>The name under which the server keeps what we own.</summary>
    public const string FieldManager = "meshtrust";

    private const int MaxRestarts = 3;
    private readonly ApiServerChannel _channel;
    private readonly ApiServerCalls _calls;
    private readonly ClusterApiSettings _settings;

    private KubernetesClusterApi(ClusterAccess access, ApiServerChannel channel, ClusterApiSettings settings)
    {
        Cluster = access.Name;
        _channel = channel;
        _settings = settings;
        _calls = new ApiServerCalls(access, channel, settings);
    }

    /// <inheritdoc/>
    public ClusterName Cluster { get; }

    /// <inheritdoc/>
    public Uri Server => _channel.Server;

    /// <summary>Opens the way to a cluster: reads the kubeconfig, sends nothing yet.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the kubeconfig does not do.</exception>
    public static IClusterApi Connect(ClusterAccess access, ClusterApiSettings settings)
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(settings);
        var document = KubeconfigDocument.Load(access.KubeconfigPath).Subset(access.ContextName, KubeconfigFile.ReadNamed);
        return new KubernetesClusterApi(access, new ApiServerChannel(KubeconfigJudge.Judge(document, access.ContextName), settings.AttemptTimeout), settings);
    }

    /// <inheritdoc/>
    public async Task<string> GetVersionAsync(CancellationToken cancellationToken)
    {
        var request = new ApiRequest { Method = HttpMethod.Get, Path = "/version", Verb = "get" };
        return await ReadAsync(request, json => json.GetProperty("gitVersion").GetString()!, cancellationToken).ConfigureAwait(false)
            ?? throw _calls.Unreadable(request);
    }

    /// <inheritdoc/>
    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        using var deadline = _calls.Deadline(cancellationToken, out var timer);
        using (timer) return (await _calls.SendAsync(new ApiRequest { Method = HttpMethod.Get, Path = "/readyz", Verb = "get" }, deadline.Token, cancellationToken).ConfigureAwait(false)).Answer.IsSuccess;
    }

    /// <inheritdoc/>
    public Task<NamespaceDocument?> ReadNamespaceAsync(string name, CancellationToken cancellationToken) =>
        ReadAsync(Get("namespaces", null, name), ApiObjects.Namespace, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<NamespaceDocument>> ListNamespacesAsync(CancellationToken cancellationToken) =>
        ListAsync(List("namespaces"), "", ApiObjects.Namespace, cancellationToken);

    /// <inheritdoc/>
    public Task<SecretDocument?> ReadSecretAsync(string namespaceName, string name, CancellationToken cancellationToken) =>
        ReadAsync(Get("secrets", namespaceName, name), ApiObjects.Secret, cancellationToken);

    /// <inheritdoc/>
    public Task<ConfigMapDocument?> ReadConfigMapAsync(string namespaceName, string name, CancellationToken cancellationToken) =>
        ReadAsync(Get("configmaps", namespaceName, name), ApiObjects.ConfigMap, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ConfigMapDocument>> ListConfigMapsAsync(string name, CancellationToken cancellationToken) =>
        [.. (await ListAsync(List("configmaps"), $"fieldSelector={Uri.EscapeDataString($"metadata.name={name}")}&", ApiObjects.ConfigMap, cancellationToken).ConfigureAwait(false)).Where(c => c.Name == name)];

    /// <inheritdoc/>
    public Task<ApplyOutcome> ApplyNamespaceAsync(NamespaceSpec wanted, bool force, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        return ApplyAsync(Get("namespaces", null, wanted.Name), version => ApiObjects.Apply(wanted, version), force, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ApplyOutcome> ApplySecretAsync(SecretDocument secret, bool force, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(secret);
        return ApplyAsync(Get("secrets", secret.Namespace, secret.Name), version => ApiObjects.Apply(secret, version), force, cancellationToken);
    }

    /// <inheritdoc/>
    public Task RemoveSecretKeyAsync(string namespaceName, string name, string key, CancellationToken cancellationToken) =>
        MergeAsync(Get("secrets", namespaceName, name), ApiObjects.RemoveKey(key), cancellationToken);

    /// <inheritdoc/>
    public Task<JsonObject?> ReadObjectAsync(ObjectReference reference, CancellationToken cancellationToken) =>
        ReadAsync(Get(reference), ApiObjects.Whole, cancellationToken, answer => answer.StatusCode == 404);

    /// <inheritdoc/>
    public Task<IReadOnlyList<JsonObject>> ListObjectsAsync(string apiVersion, string resource, string? namespaceName, CancellationToken cancellationToken) =>
        ListAsync(new ApiRequest { Method = HttpMethod.Get, Path = ObjectPath(apiVersion, namespaceName, resource), Verb = "list", Resource = resource, Namespace = namespaceName }, "", ApiObjects.Whole, cancellationToken);

    /// <inheritdoc/>
    public Task<ApplyOutcome> ApplyObjectAsync(ObjectReference reference, JsonObject wanted, bool dryRun, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        return ApplyAsync(Get(reference), version => ApiObjects.Apply(reference, wanted, version), force: false, cancellationToken, dryRun);
    }

    /// <inheritdoc/>
    public Task MergeObjectAsync(ObjectReference reference, JsonObject patch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(patch);
        return MergeAsync(Get(reference), JsonSerializer.SerializeToUtf8Bytes<JsonNode>(patch), cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private static ApiRequest Get(string resource, string? ns, string name) => Get(new ObjectReference("v1", resource, ns, name));

    private static ApiRequest Get(ObjectReference reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return new()
        {
            Method = HttpMethod.Get,
            Path = $"{ObjectPath(reference.ApiVersion, reference.Namespace, reference.Resource)}/{Uri.EscapeDataString(reference.Name)}",
            Verb = "get",
            Resource = reference.Resource,
            Namespace = reference.Namespace,
            Name = reference.Name,
        };
    }

    private static string ObjectPath(string apiVersion, string? ns, string resource) =>
        $"/{(apiVersion.Contains('/', StringComparison.Ordinal) ? "apis" : "api")}/{apiVersion}/{(ns is null ? "" : $"namespaces/{Uri.EscapeDataString(ns)}/")}{resource}";

    private async Task MergeAsync(ApiRequest get, byte[] body, CancellationToken cancellationToken)
    {
        using var deadline = _calls.Deadline(cancellationToken, out var timer);
        using var _ = timer;
        var patch = get with
        {
            Method = HttpMethod.Patch,
            Path = $"{get.Path}?fieldManager={FieldManager}",
            Verb = "patch",
            ContentType = "application/merge-patch+json",
            Body = body,
        };
        var answer = (await _calls.SendAsync(patch, deadline.Token, cancellationToken).ConfigureAwait(false)).Answer;
        if (!answer.IsSuccess) throw _calls.Refused(patch, answer);
    }

    private async Task<T?> ReadAsync<T>(ApiRequest request, Func<JsonElement, T> read, CancellationToken cancellationToken, Func<ApiAnswer, bool>? isMissing = null) where T : class
    {
        using var deadline = _calls.Deadline(cancellationToken, out var timer);
        using (timer)
        {
            var answer = (await _calls.SendAsync(request, deadline.Token, cancellationToken).ConfigureAwait(false)).Answer;
            return answer.IsSuccess ? Read(request, answer, read) : (isMissing ?? IsMissing)(answer) ? null : throw _calls.Refused(request, answer);
        }
    }

    private static ApiRequest List(string resource) => new() { Method = HttpMethod.Get, Path = ObjectPath("v1", null, resource), Verb = "list", Resource = resource };

    private async Task<IReadOnlyList<T>> ListAsync<T>(ApiRequest list, string selector, Func<JsonElement, T> read, CancellationToken cancellationToken)
    {
        using var deadline = _calls.Deadline(cancellationToken, out var timer);
        using var _ = timer;
        var items = new List<T>();
        var next = "";
        for (var restarts = 0; ;)
        {
            var request = list with { Path = $"{list.Path}?{selector}limit={_settings.PageSize}{(next.Length == 0 ? "" : $"&continue={Uri.EscapeDataString(next)}")}" };
            var answer = (await _calls.SendAsync(request, deadline.Token, cancellationToken).ConfigureAwait(false)).Answer;
            if (answer.StatusCode == 410 && next.Length > 0 && restarts++ < MaxRestarts)
            {
                // The server has forgotten the state that the pages came from: half of an old list and half of a new one would be neither.
                items.Clear();
                next = "";
                continue;
            }
            if (!answer.IsSuccess) throw _calls.Refused(request, answer);
            next = Read(request, answer, json =>
            {
                var list = json.GetProperty("items");
                if (list.ValueKind != JsonValueKind.Null) items.AddRange(list.EnumerateArray().Select(read));
                return json.TryGetProperty("metadata", out var metadata) && metadata.TryGetProperty("continue", out var token) ? token.GetString() ?? "" : "";
            });
            if (next.Length == 0) return items;
        }
    }

    /// <summary>
    /// Reads, then applies under the condition that nobody wrote in between: so the outcome is what this call did. Where somebody did, once more.
    /// </summary>
    private async Task<ApplyOutcome> ApplyAsync(ApiRequest get, Func<string?, byte[]> body, bool force, CancellationToken cancellationToken, bool dryRun = false)
    {
        using var deadline = _calls.Deadline(cancellationToken, out var timer);
        using var _ = timer;
        var lost = false;
        (bool Known, string? Version) first = default;
        for (var tries = 1; ; tries++)
        {
            var found = (await _calls.SendAsync(get, deadline.Token, cancellationToken).ConfigureAwait(false)).Answer;
            if (!found.IsSuccess && !IsMissing(found)) throw _calls.Refused(get, found);
            var before = found.IsSuccess ? Read(get, found, ApiObjects.ResourceVersion) : null;
            if (!first.Known) first = (true, before);
            var patch = get with
            {
                Method = HttpMethod.Patch,
                Path = $"{get.Path}?fieldManager={FieldManager}&force={(force ? "true" : "false")}{(dryRun ? "&dryRun=All" : "")}",
                Verb = "patch",
                Body = body(before),
            };
            var reply = await _calls.SendAsync(patch, deadline.Token, cancellationToken).ConfigureAwait(false);
            lost |= reply.EarlierTryMayHaveWorked;
            var answer = reply.Answer;
            if (answer.StatusCode == 409 && tries < Backoff.PatientTries && IsRace(answer)) continue;
            if (!answer.IsSuccess) throw _calls.Refused(patch, answer);
            var after = Read(patch, answer, ApiObjects.ResourceVersion);
            // An answer that got lost may have been ours: then what counts is what was there before the first try.
            var reference = lost ? first.Version : before;
            return reference is null ? lost || answer.StatusCode == 201 ? ApplyOutcome.Created : ApplyOutcome.Changed
                : reference == after ? ApplyOutcome.Unchanged : ApplyOutcome.Changed;
        }
    }

    /// <summary>Somebody else was faster; a conflict over a field's owner is none of these.</summary>
    private static bool IsRace(ApiAnswer answer) => ApiStatus.Read(answer).Causes.All(c => c.Reason != "FieldManagerConflict");

    private static bool IsMissing(ApiAnswer answer) => answer.StatusCode == 404 && ApiStatus.Read(answer) is { IsStatus: true, Kind: not null };

    private T Read<T>(ApiRequest request, ApiAnswer answer, Func<JsonElement, T> read)
    {
        try
        {
            using var json = answer.Json() ?? throw _calls.Unreadable(request);
            return read(json.RootElement);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw _calls.Unreadable(request);
        }
    }
}
