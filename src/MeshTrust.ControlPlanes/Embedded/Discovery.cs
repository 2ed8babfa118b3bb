using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>What the server reports about itself: its version, its resources, and as much OpenAPI as kubectl needs.</summary>
internal static class Discovery
{
    /// <summary>The version whose responses this server follows, as far as it implements them.</summary>
    public const string GitVersion = "v1.36.2+embedded";

    public const string OpenApiV2Path = "/openapi/v2";

    // Each group except the core group has the one version v1.
    private static readonly IReadOnlyCollection<string> Groups = new SortedSet<string>(
        ObjectKind.All.Select(k => k.Group).Where(g => g.Length > 0).Concat(Review.All.Select(r => r.Group)), StringComparer.Ordinal);

    // By path; each is created for the host that the client used.
    private static readonly SortedDictionary<string, Func<string, JsonObject>> Documents = AllDocuments();

    /// <summary>The document at a path; null if there is none.</summary>
    public static ApiReply? At(string path, string host) => path switch
    {
        "/" => ApiReply.Json(200, PathList()),
        "/healthz" or "/livez" or "/readyz" => ApiReply.Text(200, "ok"),
        _ => Documents.TryGetValue(path, out var document) ? ApiReply.Json(200, document(host)) : null,
    };

    /// <summary>
    /// The OpenAPI v2 document, which has no types. kubectl reads it, as protobuf only, before it applies a kind that it does not find in
    /// v3, and then reports "no matches for kind". Null for every other request.
    /// </summary>
    public static ApiReply? OpenApiV2(HttpRequest request)
    {
        if (request.Path.Value != OpenApiV2Path || request.Method is not ("GET" or "HEAD")) return null;
        var accept = request.Headers.Accept.ToString();
        const string Json = """{"swagger":"2.0","info":{"title":"Kubernetes","version":"%"},"paths":{},"definitions":{}}""";
        if (!accept.Contains("protobuf", StringComparison.Ordinal))
            return ApiReply.Json(200, Encoding.ASCII.GetBytes(Json.Replace("%", GitVersion, StringComparison.Ordinal)));

        // openapi_v2.Document of gnostic: field 1 is swagger.
        return new ApiReply(200, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", (byte[])[0x0a, 3, .. "2.0"u8]);
    }

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
        Json("{}", ("paths", ApiJson.Texts(Documents.Keys.Concat(["/healthz", "/livez", "/readyz"]).Order(StringComparer.Ordinal))));

    private static JsonObject Version()
    {
        var system = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux";
        var processor = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        return Json($$"""
            {
              "major": "1", "minor": "36", "gitVersion": "{{GitVersion}}", "gitCommit": "", "gitTreeState": "clean",
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
            if (kind.ShortNames.Count > 0) resource["shortNames"] = ApiJson.Texts(kind.ShortNames);
            if (kind.Category is { } category) resource["categories"] = new JsonArray(category);
            resources.Add(resource);
            if (kind == ObjectKind.Namespace) resources.Add(Resource("namespaces/finalize", kind.Kind, false, "update"));
            if (kind != ObjectKind.ServiceAccount) continue;
            var token = Resource("serviceaccounts/token", Review.TokenRequest.Kind, true, "create");
            (token["group"], token["version"]) = (Review.TokenRequest.Group, "v1");
            resources.Add(token);
        }

        resources.AddRange(Review.All.Where(r => r.Group == group).Select(r => Resource(r.Plural, r.Kind, false, "create")));
        return Json(
            """{"kind":"APIResourceList","apiVersion":"v1"}""",
            ("groupVersion", group.Length == 0 ? "v1" : group + "/v1"),
            ("resources", new JsonArray([.. resources])));
    }

    private static JsonObject Resource(string name, string kind, bool namespaced, params string[] verbs) =>
        Json(
            "{}", ("name", name), ("singularName", string.Empty), ("namespaced", namespaced), ("kind", kind),
            ("verbs", ApiJson.Texts(verbs)));

    private static IEnumerable<string> OpenApiPaths() => ObjectKind.All.Select(PathOf).Distinct();

    private static string PathOf(ObjectKind kind) => (kind.Group.Length == 0 ? "api/" : "apis/") + kind.ApiVersion;

    // What kubectl needs: whether a kind's requests accept fieldValidation, and the fields for kubectl explain.
    private static JsonObject OpenApi(string path)
    {
        var paths = new JsonObject();
        var schemas = new JsonObject();
        foreach (var kind in ObjectKind.All.Where(k => PathOf(k) == path))
        {
            var type = $$"""{"group":"{{kind.Group}}","version":"v1","kind":"{{kind.Kind}}"}""";
            schemas[$"io.k8s.api.{kind.Package}.v1.{kind.Kind}"] =
                Json(Schema(kind.Schema).ToJsonString(), ("x-kubernetes-group-version-kind", JsonNode.Parse($"[{type}]")!));
            var collection = $"/{path}/{(kind.IsNamespaced ? "namespaces/{namespace}/" : string.Empty)}{kind.Plural}";
            paths[collection] = Json("{}", ("post", Operation("post", type)));
            paths[collection + "/{name}"] = Json("{}", ("put", Operation("put", type)), ("patch", Operation("patch", type)));
        }

        return Json(
            $$"""{ "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "{{GitVersion}}" } }""",
            ("paths", paths),
            ("components", Json("{}", ("schemas", schemas))));
    }

    private static JsonObject Schema(FieldType type) => type switch
    {
        StructField s => Json("""{"type":"object"}""", ("properties", Json(
            "{}", s.Fields.Select(f => (f.Key, (JsonNode)Schema(f.Value)))))),
        MapField m => Json("""{"type":"object"}""", ("additionalProperties", Schema(m.Value))),
        SetField => Json("""{"type":"array","items":{"type":"string"}}"""),
        AtomicField { Shape: { } one, IsList: false } => Schema(one),
        AtomicField { Shape: { } item } => Json("""{"type":"array"}""", ("items", Schema(item))),
        ScalarField { Kind: ScalarKind.Base64 } => Json("""{"type":"string","format":"byte"}"""),
        ScalarField { Kind: ScalarKind.Time } => Json("""{"type":"string","format":"date-time"}"""),
        ScalarField { Kind: ScalarKind.Boolean } => Json("""{"type":"boolean"}"""),
        ScalarField { Kind: ScalarKind.Number } => Json("""{"type":"integer"}"""),
        ScalarField => Json("""{"type":"string"}"""),
        _ => Json("""{"type":"object"}"""),
    };

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
}
