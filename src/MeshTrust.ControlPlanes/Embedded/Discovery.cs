using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>What the server reports about itself: its version, its resources, and as much OpenAPI as kubectl needs.</summary>
internal static class Discovery
{
    /// <summary>The version whose responses this server follows, as far as it implements them.</summary>
    public const string GitVersion = "v1.32.0+embedded";

    // Each group except the core group has the one version v1.
    private static readonly IReadOnlyCollection<string> Groups = new SortedSet<string>(
        ObjectKind.All.Select(k => k.Group).Where(g => g.Length > 0).Append(AccessRules.ReviewGroup), StringComparer.Ordinal);

    // By path; each is created for the host that the client used.
    private static readonly SortedDictionary<string, Func<string, JsonObject>> Documents = AllDocuments();

    /// <summary>The document at a path; null if there is none.</summary>
    public static ApiReply? At(string path, string host) => path switch
    {
        "/" => ApiReply.Json(200, PathList()),
        "/healthz" or "/livez" or "/readyz" => ApiReply.Text(200, "ok"),
        _ => Documents.TryGetValue(path, out var document) ? ApiReply.Json(200, document(host)) : null,
    };

    public static ApiReply NotFound(string path) =>
        path.StartsWith("/apis/", StringComparison.Ordinal) || path.StartsWith("/openapi/", StringComparison.Ordinal)
            ? ApiReply.Text(404, "404 page not found\n")
            : ApiReply.Json(404, PathList());

    private static SortedDictionary<string, Func<string, JsonObject>> AllDocuments()
    {
        var result = new SortedDictionary<string, Func<string, JsonObject>>(StringComparer.Ordinal)
        {
            ["/version"] = _ => Version(),
            ["/api"] = host => Json("""{"kind":"APIVersions","versions":["v1"]}""", (
                "serverAddressByClientCIDRs", new JsonArray(Json("""{"clientCIDR":"0.0.0.0/0"}""", ("serverAddress", host))))),
            ["/api/v1"] = _ => ResourceList(string.Empty),
            ["/apis"] = _ => Json("""{"kind":"APIGroupList","apiVersion":"v1"}""", ("groups", new JsonArray([.. Groups.Select(Group)]))),
            ["/openapi/v3"] = _ => Json("{}", ("paths", Json(
                "{}", OpenApiPaths().Select(p => (p, (JsonNode)Json("{}", ("serverRelativeURL", "/openapi/v3/" + p))))))),
        };
        foreach (var group in Groups)
        {
            result[$"/apis/{group}"] = _ => Json(Group(group).ToJsonString(), ("kind", "APIGroup"), ("apiVersion", "v1"));
            result[$"/apis/{group}/v1"] = _ => ResourceList(group);
        }

        foreach (var path in OpenApiPaths()) result["/openapi/v3/" + path] = _ => OpenApi(path);
        return result;
    }

    private static JsonObject PathList() =>
        Json("{}", ("paths", Texts(Documents.Keys.Concat(["/healthz", "/livez", "/readyz"]).Order(StringComparer.Ordinal))));

    private static JsonObject Version()
    {
        var system = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux";
        var processor = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        return Json($$"""
            {
              "major": "1", "minor": "32", "gitVersion": "{{GitVersion}}", "gitCommit": "", "gitTreeState": "clean",
              "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": ".NET",
              "platform": "{{system}}/{{(processor == "x64" ? "amd64" : processor)}}"
            }
            """);
    }

    private static JsonObject Group(string name)
    {
        var version = $$"""{"groupVersion":"{{name}}/v1","version":"v1"}""";
        return Json($$"""{ "name": "{{name}}", "versions": [{{version}}], "preferredVersion": {{version}} }""");
    }

    private static JsonObject ResourceList(string group)
    {
        var resources = new List<JsonNode>();
        foreach (var kind in ObjectKind.All.Where(k => k.Group == group))
        {
            string[] collection = kind.IsNamespaced ? ["deletecollection"] : [];
            string[] verbs = ["create", "delete", .. collection, "get", "list", "patch", "update", "watch"];
            var resource = Resource(kind.Plural, kind.Kind, kind.IsNamespaced, verbs);
            resource["singularName"] = kind.Singular;
            if (kind.ShortNames.Count > 0) resource["shortNames"] = Texts(kind.ShortNames);
            resources.Add(resource);
            if (kind == ObjectKind.Namespace) resources.Add(Resource("namespaces/finalize", kind.Kind, false, "update"));
        }

        if (group == AccessRules.ReviewGroup) resources.Add(Resource(AccessRules.Reviews, "SelfSubjectAccessReview", false, "create"));
        return Json(
            """{"kind":"APIResourceList","apiVersion":"v1"}""",
            ("groupVersion", group.Length == 0 ? "v1" : group + "/v1"),
            ("resources", new JsonArray([.. resources])));
    }

    private static JsonObject Resource(string name, string kind, bool namespaced, params string[] verbs) =>
        Json("{}", ("name", name), ("singularName", string.Empty), ("namespaced", namespaced), ("kind", kind), ("verbs", Texts(verbs)));

    private static IEnumerable<string> OpenApiPaths() => ObjectKind.All.Select(PathOf).Distinct();

    private static string PathOf(ObjectKind kind) => (kind.Group.Length == 0 ? "api/" : "apis/") + kind.ApiVersion;

    // kubectl needs one fact from it: whether a kind's requests accept fieldValidation. The schemas are empty.
    private static JsonObject OpenApi(string path)
    {
        var paths = new JsonObject();
        var schemas = new JsonObject();
        foreach (var kind in ObjectKind.All.Where(k => PathOf(k) == path))
        {
            var type = $$"""{"group":"{{kind.Group}}","version":"v1","kind":"{{kind.Kind}}"}""";
            var package = kind.Group.Length == 0 ? "core" : kind.Group.Split('.')[0];
            schemas[$"io.k8s.api.{package}.v1.{kind.Kind}"] =
                Json($$"""{ "type": "object", "x-kubernetes-group-version-kind": [{{type}}] }""");
            var collection = $"/{path}/{(kind.IsNamespaced ? "namespaces/{namespace}/" : string.Empty)}{kind.Plural}";
            paths[collection] = Json("{}", ("post", Operation("post", type)));
            paths[collection + "/{name}"] = Json("{}", ("put", Operation("put", type)), ("patch", Operation("patch", type)));
        }

        return Json(
            $$"""{ "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "{{GitVersion}}" } }""",
            ("paths", paths),
            ("components", Json("{}", ("schemas", schemas))));
    }

    private static JsonObject Operation(string method, string type) => Json($$"""
        {
          "x-kubernetes-action": "{{method}}",
          "x-kubernetes-group-version-kind": {{type}},
          "parameters": [{ "name": "fieldValidation", "in": "query", "schema": { "type": "string", "uniqueItems": true } }]
        }
        """);

    private static JsonObject Json(string text, params IEnumerable<(string Name, JsonNode Value)> more)
    {
        var result = JsonNode.Parse(text)!.AsObject();
        foreach (var (name, value) in more) result[name] = value;
        return result;
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => JsonValue.Create(t))]);
}
