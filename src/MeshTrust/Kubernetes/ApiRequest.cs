namespace MeshTrust.Kubernetes;

/// <summary>One request to an API server, with the words that messages need. Its ToString never shows the body.</summary>
internal sealed record ApiRequest
{
    internal required HttpMethod Method { get; init; }

    /// <summary>Path and query, from the server's root.</summary>
    internal required string Path { get; init; }

    /// <summary>The verb that RBAC knows: get, list or patch.</summary>
    internal required string Verb { get; init; }

    /// <summary>The resource in RBAC's plural, for instance <c>secrets</c>; empty for <c>/version</c>.</summary>
    internal string Resource { get; init; } = "";

    internal string? Namespace { get; init; }

    internal string? Name { get; init; }

    /// <summary>The body of a patch; it may hold a key.</summary>
    internal ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The kind of patch.</summary>
    internal string ContentType { get; init; } = "application/apply-patch+yaml";

    internal bool Writes => Verb == "patch";

    /// <summary>For people: <c>secret istio-system/cacerts</c>.</summary>
    internal string Object => Resource.Length == 0 ? Path
        : $"{(Name is null ? Resource : Resource[..^1])}{(Name is null && Namespace is null ? " of all namespaces" : $" {string.Join('/', new[] { Namespace, Name }.OfType<string>())}")}";

    /// <summary>For people: <c>reading secret istio-system/cacerts</c>.</summary>
    internal string Doing => $"{(Writes ? "writing" : Verb == "list" ? "listing" : "reading")} {Object}";

    public override string ToString() => $"{Method} {Path}";
}
