using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// A kind that answers a question and is never stored: who is asking, what is allowed, whose token this is. The schema is for protobuf.
/// </summary>
internal sealed record Review(string Group, string Kind, StructField Schema)
{
    private const string Authorization = "authorization.k8s.io";
    private const string Authentication = "authentication.k8s.io";

    private static readonly (string Name, int Number, FieldType Type)[] Access =
    [
        ("resourceAttributes", 1, new StructField(
            ("namespace", 1, FieldType.Text),
            ("verb", 2, FieldType.Text),
            ("group", 3, FieldType.Text),
            ("version", 4, FieldType.Text),
            ("resource", 5, FieldType.Text),
            ("subresource", 6, FieldType.Text),
            ("name", 7, FieldType.Text))),
        ("nonResourceAttributes", 2, new StructField(("path", 1, FieldType.Text), ("verb", 2, FieldType.Text))),
    ];

    public static readonly IReadOnlyList<Review> All =
    [
        new(Authentication, "SelfSubjectReview", new StructField()),
        new(Authentication, "TokenReview", Spec(("token", 1, FieldType.Text), ("audiences", 2, FieldType.TextSet))),
        new(Authorization, "SelfSubjectAccessReview", Spec(Access)),
        new(Authorization, "SelfSubjectRulesReview", Spec(("namespace", 1, FieldType.Text))),
        new(Authorization, "SubjectAccessReview", Spec([.. Access, ("user", 3, FieldType.Text), ("groups", 4, FieldType.TextSet)])),
    ];

    /// <summary>The kind of the subresource <c>token</c> of service accounts.</summary>
    public static readonly Review TokenRequest = new(Authentication, "TokenRequest", Spec(
        ("audiences", 1, FieldType.TextSet),
        ("boundObjectRef", 3, new StructField(
            ("kind", 1, FieldType.Text), ("apiVersion", 2, FieldType.Text), ("name", 3, FieldType.Text), ("uid", 4, FieldType.Text))),
        ("expirationSeconds", 4, FieldType.Number)));

    public string Plural => Kind.ToLowerInvariant() + "s";

    public static Review? At(string path) => All.FirstOrDefault(r => path == $"/apis/{r.Group}/v1/{r.Plural}");

    /// <summary>The question with its answer.</summary>
    public JsonObject Answer(Caller caller, JsonObject question, AccessRules rules, ServiceAccountTokens tokens)
    {
        var spec = question["spec"] as JsonObject ?? [];
        return Of(spec, Kind switch
        {
            "SelfSubjectReview" => new() { ["userInfo"] = caller.ToJson() },
            "TokenReview" => tokens.Answer(spec),
            "SelfSubjectRulesReview" => RulesIn(Text(spec, "namespace")),
            "SubjectAccessReview" => Allowed(Caller.User(Text(spec, "user"), ServiceAccountTokens.Texts(spec["groups"]))),
            _ => Allowed(caller),
        });

        JsonObject Allowed(Caller who)
        {
            var wanted = spec["resourceAttributes"] as JsonObject ?? [];
            var resource = $"{Text(wanted, "resource")}/{Text(wanted, "subresource")}".TrimEnd('/');
            var request = new AccessRequest(
                Text(wanted, "verb"), Text(wanted, "group"), resource, Text(wanted, "namespace"), Text(wanted, "name"));
            return new()
            {
                ["allowed"] = spec["nonResourceAttributes"] is JsonObject path
                    ? rules.AllowsPath(who, Text(path, "verb"), Text(path, "path"))
                    : rules.Allows(who, request),
            };
        }

        JsonObject RulesIn(string namespaceName)
        {
            if (namespaceName.Length == 0) throw ApiFault.BadRequest("no namespace on request");
            var all = rules.RulesOf(caller, namespaceName).ToLookup(r => r["nonResourceURLs"] is null, r => r.DeepClone());
            return new()
            {
                ["resourceRules"] = new JsonArray([.. all[true]]),
                ["nonResourceRules"] = new JsonArray([.. all[false]]),
                ["incomplete"] = false,
            };
        }
    }

    public JsonObject Of(JsonObject spec, JsonObject status)
    {
        var result = new JsonObject
        {
            ["kind"] = Kind,
            ["apiVersion"] = Group + "/v1",
            ["metadata"] = new JsonObject { ["creationTimestamp"] = null },
        };
        if (spec.Count > 0) result["spec"] = spec.DeepClone();
        result["status"] = status;
        return result;
    }

    private static StructField Spec(params (string Name, int Number, FieldType Type)[] fields) => new(("spec", 2, new StructField(fields)));

    private static string Text(JsonObject source, string name) => source[name]?.ToString() ?? string.Empty;
}
