using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Objects;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>What the server says of itself: its version, its resources, and as much OpenAPI as kubectl needs to begin.</summary>
internal static class Discovery
{
    /// <summary>The version whose answers this server gives, as far as it gives them.</summary>
    public const string GitVersion = "v1.32.0+embedded";

    private const string AuthorizationVersion = "authorization.k8s.io/v1";

    public static readonly IReadOnlyList<string> Paths =
    [
        "/api", "/api/v1", "/apis", "/apis/authorization.k8s.io", "/apis/" + AuthorizationVersion,
        "/healthz", "/livez", "/openapi/v3", "/openapi/v3/api/v1", "/readyz", "/version",
    ];

    private static readonly string[] WriteMethods = ["post", "put", "patch"];

    /// <summary>The document at a path; null where there is none.</summary>
    public static ApiReply? At(string path, string host) => path switch
    {
        "/" => ApiReply.Json(200, PathList()),
        "/version" => ApiReply.Json(200, Version()),
        "/healthz" or "/livez" or "/readyz" => ApiReply.Text(200, "ok"),
        "/api" => ApiReply.Json(200, new JsonObject
        {
            ["kind"] = "APIVersions",
            ["versions"] = new JsonArray("v1"),
            ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = host }),
        }),
        "/apis" => ApiReply.Json(200, new JsonObject { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = new JsonArray(AuthorizationGroup()) }),
        "/apis/authorization.k8s.io" => ApiReply.Json(200, Typed("APIGroup", AuthorizationGroup())),
        "/api/v1" => ApiReply.Json(200, ResourceList("v1", CoreResources())),
        "/apis/" + AuthorizationVersion => ApiReply.Json(200, ResourceList(AuthorizationVersion, [Resource("selfsubjectaccessreviews", "SelfSubjectAccessReview", false, "create")])),
        "/openapi/v3" => ApiReply.Json(200, new JsonObject { ["paths"] = new JsonObject { ["api/v1"] = new JsonObject { ["serverRelativeURL"] = "/openapi/v3/api/v1" } } }),
        "/openapi/v3/api/v1" => ApiReply.Json(200, OpenApi()),
        _ => null,
    };

    /// <summary>What is answered for a path that leads nowhere.</summary>
    public static ApiReply NotFound(string path) =>
        path.StartsWith("/apis/", StringComparison.Ordinal) || path.StartsWith("/openapi/", StringComparison.Ordinal)
            ? ApiReply.Text(404, "404 page not found\n")
            : ApiReply.Json(404, PathList());

    private static JsonObject PathList() => new() { ["paths"] = new JsonArray([.. Paths.Select(p => JsonValue.Create(p))]) };

    private static JsonObject Version() => new()
    {
        ["major"] = "1",
        ["minor"] = "32",
        ["gitVersion"] = GitVersion,
        ["gitCommit"] = string.Empty,
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = string.Empty,
        ["compiler"] = ".NET",
        ["platform"] = $"{OperatingSystemName()}/{(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "amd64" : RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant())}",
    };

    private static string OperatingSystemName() => OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux";

    private static JsonObject AuthorizationGroup()
    {
        static JsonObject One() => new() { ["groupVersion"] = AuthorizationVersion, ["version"] = "v1" };
        return new JsonObject { ["name"] = "authorization.k8s.io", ["versions"] = new JsonArray(One()), ["preferredVersion"] = One() };
    }

    private static JsonObject Typed(string kind, JsonObject rest)
    {
        rest["kind"] = kind;
        rest["apiVersion"] = "v1";
        return rest;
    }

    private static JsonObject ResourceList(string groupVersion, JsonObject[] resources) =>
        new() { ["kind"] = "APIResourceList", ["apiVersion"] = "v1", ["groupVersion"] = groupVersion, ["resources"] = new JsonArray([.. resources]) };

    private static JsonObject[] CoreResources()
    {
        var result = new List<JsonObject>();
        foreach (var kind in ObjectKind.All)
        {
            string[] collection = kind.IsNamespaced ? ["deletecollection"] : [];
            var resource = Resource(kind.Plural, kind.Kind, kind.IsNamespaced, ["create", "delete", .. collection, "get", "list", "patch", "update", "watch"]);
            resource["singularName"] = kind.Singular;
            if (kind.ShortName is { } name) resource["shortNames"] = new JsonArray(name);
            result.Add(resource);
            if (kind == ObjectKind.Namespace) result.Add(Resource("namespaces/finalize", kind.Kind, false, "update"));
        }

        return [.. result];
    }

    private static JsonObject Resource(string name, string kind, bool namespaced, params string[] verbs) => new()
    {
        ["name"] = name,
        ["singularName"] = string.Empty,
        ["namespaced"] = namespaced,
        ["kind"] = kind,
        ["verbs"] = new JsonArray([.. verbs.Select(v => JsonValue.Create(v))]),
    };

    // kubectl asks one thing of it: whether a kind's requests take fieldValidation. The schemas say nothing.
    private static JsonObject OpenApi()
    {
        var paths = new JsonObject();
        var schemas = new JsonObject();
        foreach (var kind in ObjectKind.All)
        {
            schemas["io.k8s.api.core.v1." + kind.Kind] = new JsonObject
            {
                ["type"] = "object",
                ["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(kind)),
            };
            var collection = kind.IsNamespaced ? "/api/v1/namespaces/{namespace}/" + kind.Plural : "/api/v1/" + kind.Plural;
            paths[collection] = Operations(kind, WriteMethods[..1]);
            paths[collection + "/{name}"] = Operations(kind, WriteMethods[1..]);
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = GitVersion },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }

    private static JsonObject Operations(ObjectKind kind, string[] methods)
    {
        var result = new JsonObject();
        foreach (var method in methods)
        {
            result[method] = new JsonObject
            {
                ["x-kubernetes-action"] = method,
                ["x-kubernetes-group-version-kind"] = GroupVersionKind(kind),
                ["parameters"] = new JsonArray(new JsonObject
                {
                    ["name"] = "fieldValidation",
                    ["in"] = "query",
                    ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
                }),
            };
        }

        return result;
    }

    private static JsonObject GroupVersionKind(ObjectKind kind) => new() { ["group"] = string.Empty, ["version"] = "v1", ["kind"] = kind.Kind };
}
