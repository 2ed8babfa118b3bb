using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>What the server says of itself: its version, its resources, and as much OpenAPI as kubectl needs to begin.</summary>
internal static class Discovery
{
    /// <summary>The version whose answers this server gives, as far as it gives them.</summary>
    public const string GitVersion = "v1.32.0+embedded";

    // Each group beside the core group has the one version v1.
    private static readonly IReadOnlyList<string> Groups =
        [.. ObjectKind.All.Select(k => k.Group).Append(AccessRules.ReviewGroup).Where(g => g.Length > 0).Distinct().Order(StringComparer.Ordinal)];

    private static readonly SortedDictionary<string, Func<string, JsonObject>> Documents = AllDocuments();

    /// <summary>The document at a path; null where there is none.</summary>
    public static ApiReply? At(string path, string host) => path switch
    {
        "/" => ApiReply.Json(200, PathList()),
        "/healthz" or "/livez" or "/readyz" => ApiReply.Text(200, "ok"),
        _ => Documents.TryGetValue(path, out var document) ? ApiReply.Json(200, document(host)) : null,
    };

    /// <summary>What is answered for a path that leads nowhere.</summary>
    public static ApiReply NotFound(string path) =>
        path.StartsWith("/apis/", StringComparison.Ordinal) || path.StartsWith("/openapi/", StringComparison.Ordinal)
            ? ApiReply.Text(404, "404 page not found\n")
            : ApiReply.Json(404, PathList());

    private static SortedDictionary<string, Func<string, JsonObject>> AllDocuments()
    {
        var result = new SortedDictionary<string, Func<string, JsonObject>>(StringComparer.Ordinal)
        {
            ["/version"] = _ => Version(),
            ["/api"] = host => new JsonObject
            {
                ["kind"] = "APIVersions",
                ["versions"] = new JsonArray("v1"),
                ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = host }),
            },
            ["/api/v1"] = _ => ResourceList(string.Empty),
            ["/apis"] = _ => new JsonObject
            {
                ["kind"] = "APIGroupList",
                ["apiVersion"] = "v1",
                ["groups"] = new JsonArray([.. Groups.Select(Group)]),
            },
            ["/openapi/v3"] = _ => new JsonObject
            {
                ["paths"] = new JsonObject(OpenApiPaths().Select(path => KeyValuePair.Create(path, (JsonNode?)new JsonObject
                {
                    ["serverRelativeURL"] = "/openapi/v3/" + path,
                }))),
            },
        };
        foreach (var group in Groups)
        {
            result[$"/apis/{group}"] = _ => new JsonObject([.. Group(group).DeepClone().AsObject(), new("kind", "APIGroup"), new("apiVersion", "v1")]);
            result[$"/apis/{group}/v1"] = _ => ResourceList(group);
        }

        foreach (var path in OpenApiPaths()) result["/openapi/v3/" + path] = _ => OpenApi(path);
        return result;
    }

    private static JsonObject PathList()
    {
        var paths = Documents.Keys.Concat(["/healthz", "/livez", "/readyz"]).Order(StringComparer.Ordinal);
        return new JsonObject { ["paths"] = new JsonArray([.. paths.Select(p => JsonValue.Create(p))]) };
    }

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
        ["platform"] = $"{OperatingSystemName()}/{ArchitectureName()}",
    };

    private static string OperatingSystemName() => OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux";

    private static string ArchitectureName() => RuntimeInformation.ProcessArchitecture == Architecture.X64
        ? "amd64"
        : RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    private static JsonObject Group(string name)
    {
        JsonObject Version() => new() { ["groupVersion"] = name + "/v1", ["version"] = "v1" };
        return new JsonObject { ["name"] = name, ["versions"] = new JsonArray(Version()), ["preferredVersion"] = Version() };
    }

    private static JsonObject ResourceList(string group)
    {
        var resources = new JsonArray();
        foreach (var kind in ObjectKind.All.Where(k => k.Group == group))
        {
            string[] collection = kind.IsNamespaced ? ["deletecollection"] : [];
            var resource = Resource(kind.Plural, kind.Kind, kind.IsNamespaced, ["create", "delete", .. collection, "get", "list", "patch", "update", "watch"]);
            resource["singularName"] = kind.Singular;
            if (kind.ShortNames.Count > 0) resource["shortNames"] = new JsonArray([.. kind.ShortNames.Select(n => JsonValue.Create(n))]);
            resources.Add((JsonNode)resource);
            if (kind == ObjectKind.Namespace) resources.Add((JsonNode)Resource("namespaces/finalize", kind.Kind, false, "update"));
        }

        if (group == AccessRules.ReviewGroup)
            resources.Add((JsonNode)Resource(AccessRules.Reviews, "SelfSubjectAccessReview", false, "create"));
        return new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = group.Length == 0 ? "v1" : group + "/v1",
            ["resources"] = resources,
        };
    }

    private static JsonObject Resource(string name, string kind, bool namespaced, params string[] verbs) => new()
    {
        ["name"] = name,
        ["singularName"] = string.Empty,
        ["namespaced"] = namespaced,
        ["kind"] = kind,
        ["verbs"] = new JsonArray([.. verbs.Select(v => JsonValue.Create(v))]),
    };

    private static IEnumerable<string> OpenApiPaths() => ObjectKind.All.Select(PathOf).Distinct();

    private static string PathOf(ObjectKind kind) => (kind.Group.Length == 0 ? "api/" : "apis/") + kind.ApiVersion;

    // kubectl asks one thing of it: whether a kind's requests take fieldValidation. The schemas say nothing.
    private static JsonObject OpenApi(string path)
    {
        var paths = new JsonObject();
        var schemas = new JsonObject();
        foreach (var kind in ObjectKind.All.Where(k => PathOf(k) == path))
        {
            var name = kind.Group.Length == 0 ? "core" : kind.Group.Split('.')[0];
            schemas[$"io.k8s.api.{name}.v1.{kind.Kind}"] = new JsonObject
            {
                ["type"] = "object",
                ["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(kind)),
            };
            var collection = $"/{path}/{(kind.IsNamespaced ? "namespaces/{namespace}/" : string.Empty)}{kind.Plural}";
            paths[collection] = Operations(kind, "post");
            paths[collection + "/{name}"] = Operations(kind, "put", "patch");
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = GitVersion },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }

    private static JsonObject Operations(ObjectKind kind, params string[] methods) => new(methods.Select(method =>
        KeyValuePair.Create(method, (JsonNode?)new JsonObject
        {
            ["x-kubernetes-action"] = method,
            ["x-kubernetes-group-version-kind"] = GroupVersionKind(kind),
            ["parameters"] = new JsonArray(new JsonObject
            {
                ["name"] = "fieldValidation",
                ["in"] = "query",
                ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
            }),
        })));

    private static JsonObject GroupVersionKind(ObjectKind kind) =>
        new() { ["group"] = kind.Group, ["version"] = "v1", ["kind"] = kind.Kind };
}
