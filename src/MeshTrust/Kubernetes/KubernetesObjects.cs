using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.Kubernetes;

/// <summary>
/// Which object of an API server: its group and version (such as <c>apps/v1</c>), the plural of its kind (<c>deployments</c>), its
/// namespace (null for a kind that has none) and its name.
/// </summary>
internal sealed record ObjectReference(string ApiVersion, string Resource, string? Namespace, string Name)
{
    public override string ToString() => $"{Resource} {(Namespace is null ? "" : $"{Namespace}/")}{Name}";
}

/// <summary>A namespace as stored by an API server. The uid of <c>kube-system</c> identifies a cluster.</summary>
internal sealed record NamespaceDocument
{
    public required string Name { get; init; }
    public required string Uid { get; init; }
    public required IReadOnlyDictionary<string, string> Labels { get; init; }
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();
    public bool Terminating { get; init; }
}

/// <summary>A namespace as intended: it may have more labels and annotations, but these keys must have these values.</summary>
internal sealed record NamespaceSpec
{
    public required string Name { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();
}

/// <summary>A secret, its data decoded. Its ToString names keys and sizes, never values.</summary>
internal sealed record SecretDocument
{
    public required string Namespace { get; init; }
    public required string Name { get; init; }
    public string Type { get; init; } = "Opaque";
    public required IReadOnlyDictionary<string, byte[]> Data { get; init; }

    /// <summary>Whether the server rejects changes; null if it is not set.</summary>
    public bool? Immutable { get; init; }

    /// <summary>The server's opaque version; null on a document that was not read.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>Null on a document that was not read.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The program that manages the secret and would undo a change, such as <c>cert-manager</c>; null if none is known.</summary>
    public string? Keeper { get; init; }

    /// <summary>The annotations that contain a private key: <c>kubectl apply</c> copies the whole secret into one.</summary>
    public IReadOnlyList<string> LeakingAnnotations { get; init; } = [];

    public override string ToString() =>
        $"secret {Namespace}/{Name} ({string.Join(", ", Data.Select(d => $"{d.Key}: {d.Value.Length} bytes"))})";
}

internal sealed record ConfigMapDocument
{
    public required string Namespace { get; init; }
    public required string Name { get; init; }
    public required IReadOnlyDictionary<string, string> Data { get; init; }
}

/// <summary>Reads and writes these objects as JSON (k8s.io/api core/v1). Absent maps are empty maps.</summary>
internal static class KubernetesObjects
{
    internal static NamespaceDocument Namespace(JsonElement json)
    {
        var metadata = json.GetProperty("metadata");
        return new NamespaceDocument
        {
            Name = metadata.GetProperty("name").GetString()!,
            Uid = metadata.GetProperty("uid").GetString()!,
            Labels = Strings(metadata, "labels"),
            Annotations = Strings(metadata, "annotations"),
            Terminating = metadata.TryGetProperty("deletionTimestamp", out _)
                || json.TryGetProperty("status", out var status)
                && status.TryGetProperty("phase", out var phase) && phase.ValueEquals("Terminating"),
        };
    }

    internal static SecretDocument Secret(JsonElement json)
    {
        var metadata = json.GetProperty("metadata");
        return new SecretDocument
        {
            Namespace = metadata.GetProperty("namespace").GetString()!,
            Name = metadata.GetProperty("name").GetString()!,
            Type = json.TryGetProperty("type", out var type) ? type.GetString() ?? "Opaque" : "Opaque",
            Data = Map(json, "data", value => value.ValueKind == JsonValueKind.Null ? [] : value.GetBytesFromBase64()),
            Immutable = json.TryGetProperty("immutable", out var flag) && flag.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? flag.GetBoolean() : null,
            ResourceVersion = ResourceVersion(json),
            CreatedAt = metadata.TryGetProperty("creationTimestamp", out var created) && created.TryGetDateTimeOffset(out var at)
                ? at : null,
            Keeper = SecretKeeper.Of(metadata),
            LeakingAnnotations =
            [
                .. Strings(metadata, "annotations")
                    .Where(a => a.Value.Contains("-key.pem\"", StringComparison.Ordinal)
                        || a.Value.Contains("tls.key\"", StringComparison.Ordinal)
                        || a.Value.Contains("PRIVATE KEY", StringComparison.Ordinal))
                    .Select(a => a.Key).Order(StringComparer.Ordinal),
            ],
        };
    }

    internal static ConfigMapDocument ConfigMap(JsonElement json) => new()
    {
        Namespace = json.GetProperty("metadata").GetProperty("namespace").GetString()!,
        Name = json.GetProperty("metadata").GetProperty("name").GetString()!,
        Data = Strings(json, "data"),
    };

    internal static string? ResourceVersion(JsonElement json) =>
        json.GetProperty("metadata").TryGetProperty("resourceVersion", out var version) ? version.GetString() : null;

    /// <summary>Any object, detached from the response that it came in.</summary>
    internal static JsonObject Whole(JsonElement json) => JsonObject.Create(json.Clone())!;

    /// <summary>The body of an apply. With a resourceVersion, the server rejects it if something else wrote in between.</summary>
    internal static byte[] Apply(NamespaceSpec wanted, string? resourceVersion) => Write(json =>
    {
        WriteHead(json, "Namespace", null, wanted.Name, resourceVersion);
        WriteMap(json, "labels", wanted.Labels, json.WriteString);
        WriteMap(json, "annotations", wanted.Annotations, json.WriteString);
        json.WriteEndObject();
    });

    /// <summary>The body of an apply: <c>data</c>, never <c>stringData</c>, whose keys a later apply could not remove.</summary>
    internal static byte[] Apply(SecretDocument wanted, string? resourceVersion) => Write(json =>
    {
        WriteHead(json, "Secret", wanted.Namespace, wanted.Name, resourceVersion);
        json.WriteEndObject();
        json.WriteString("type", wanted.Type);
        WriteMap(json, "data", wanted.Data, (key, value) => json.WriteBase64String(key, value));
        if (wanted.Immutable is { } immutable) json.WriteBoolean("immutable", immutable);
    });

    internal static byte[] Apply(ObjectReference reference, JsonObject wanted, string? resourceVersion)
    {
        var body = (JsonObject)wanted.DeepClone();
        body["apiVersion"] = reference.ApiVersion;
        if (body["metadata"] is not JsonObject metadata) body["metadata"] = metadata = [];
        metadata["name"] = reference.Name;
        if (reference.Namespace is { } ns) metadata["namespace"] = ns;
        if (resourceVersion is not null) metadata["resourceVersion"] = resourceVersion;
        return JsonSerializer.SerializeToUtf8Bytes<JsonNode>(body);
    }

    /// <summary>The object without what changes when nothing does: its version and who manages its fields.</summary>
    internal static string Content(JsonElement json)
    {
        var whole = Whole(json);
        if (whole["metadata"] is JsonObject metadata)
            foreach (var name in new[] { "managedFields", "resourceVersion", "generation" }) metadata.Remove(name);
        return whole.ToJsonString();
    }

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

    /// <summary>Type and metadata, which the caller closes.</summary>
    private static void WriteHead(Utf8JsonWriter json, string kind, string? ns, string name, string? resourceVersion)
    {
        json.WriteString("apiVersion", "v1");
        json.WriteString("kind", kind);
        json.WriteStartObject("metadata");
        json.WriteString("name", name);
        if (ns is not null) json.WriteString("namespace", ns);
        if (resourceVersion is not null) json.WriteString("resourceVersion", resourceVersion);
    }

    private static void WriteMap<T>(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, T> values, Action<string, T> write)
    {
        if (values.Count == 0) return;
        json.WriteStartObject(name);
        foreach (var (key, value) in values.OrderBy(v => v.Key, StringComparer.Ordinal)) write(key, value);
        json.WriteEndObject();
    }

    internal static Dictionary<string, string> Strings(JsonElement parent, string name) => Map(parent, name, v => v.GetString() ?? "");

    private static Dictionary<string, T> Map<T>(JsonElement parent, string name, Func<JsonElement, T> read) =>
        parent.TryGetProperty(name, out var map) && map.ValueKind == JsonValueKind.Object
            ? map.EnumerateObject().ToDictionary(p => p.Name, p => read(p.Value), StringComparer.Ordinal)
            : [];
}
