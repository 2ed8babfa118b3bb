using MeshTrust.ControlPlanes.Embedded.Objects;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>What a path below <c>/api/v1</c> means. A resource that is not served has no kind.</summary>
internal sealed record ApiTarget(string Resource, ObjectKind? Kind, string Namespace, string Name, string Subresource)
{
    /// <summary>The namespace that rights are asked for: a namespace is its own.</summary>
    public string AccessNamespace => Resource == "namespaces" ? Name : Namespace;

    public string AccessResource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";

    /// <summary>Reads the segments behind <c>/api/v1</c>; at least one.</summary>
    public static ApiTarget Parse(ReadOnlySpan<string> segments)
    {
        if (segments is ["namespaces", var space, var resource, ..] && resource is not ("finalize" or "status"))
            return New(resource, space, segments[3..]);
        return New(segments[0], string.Empty, segments[1..]);
    }

    /// <summary>The verb as RBAC names it.</summary>
    public string Verb(string method, bool watch) => method switch
    {
        "GET" or "HEAD" when watch => "watch",
        "GET" or "HEAD" => Name.Length > 0 ? "get" : "list",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => Name.Length > 0 ? "delete" : "deletecollection",
        _ => method.ToLowerInvariant(),
    };

    private static ApiTarget New(string resource, string namespaceName, ReadOnlySpan<string> rest) => new(
        resource,
        rest.Length > 2 ? null : ObjectKind.ByPlural(resource) is { } kind && (kind.IsNamespaced || namespaceName.Length == 0) ? kind : null,
        namespaceName,
        rest.Length > 0 ? rest[0] : string.Empty,
        rest.Length > 1 ? string.Join('/', rest[1..].ToArray()) : string.Empty);
}
