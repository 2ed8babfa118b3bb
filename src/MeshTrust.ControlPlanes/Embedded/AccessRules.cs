using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// Authorization by RBAC: the stored roles and bindings, the grants of the embedding program, and the rules that every user has.
/// Administrators may do everything.
/// </summary>
internal sealed class AccessRules(ObjectStore store)
{
    /// <summary>The API group of roles and bindings.</summary>
    public const string Group = "rbac.authorization.k8s.io";

    // The roles system:public-info-viewer, system:basic-user and system:discovery of a real server.
    private static readonly JsonObject[] OfAll = [Paths("/healthz", "/livez", "/readyz", "/version", "/version/")];

    private static readonly JsonObject[] OfUsers =
    [
        .. OfAll,
        Paths("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"),
        .. Review.All.Where(r => r.Kind.StartsWith("Self", StringComparison.Ordinal)).Select(r => Rule(["create"], [r.Group], [r.Plural])),
    ];

    private static readonly JsonObject[] OfAdministrators = [Rule(["*"], ["*"], ["*"]), Paths("*")];

    private readonly ConcurrentDictionary<string, IReadOnlyList<AccessGrant>> _grants = new(StringComparer.Ordinal);

    /// <summary>The roles that users bind most; a real server has more, and more in each.</summary>
    public static IEnumerable<(ObjectKind Kind, JsonObject Body)> Defaults()
    {
        JsonObject view = Rule(["get", "list", "watch"], [""], ["configmaps", "events", "namespaces", "serviceaccounts"]);
        JsonObject edit = Rule(["*"], [""], ["configmaps", "events", "secrets", "serviceaccounts", "serviceaccounts/token"]);
        JsonObject admin = Rule(["*"], [Group], ["roles", "rolebindings"]);
        yield return Role("cluster-admin", OfAdministrators);
        yield return Role("admin", view, edit, admin);
        yield return Role("edit", view, edit);
        yield return Role("view", view);

        static (ObjectKind, JsonObject) Role(string name, params JsonObject[] rules) => (ObjectKind.ClusterRole, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name },
            ["rules"] = new JsonArray([.. rules.Select(r => r.DeepClone())]),
        });
    }

    public void Grant(string user, IReadOnlyList<AccessGrant> grants) => _grants[user] = grants;

    public bool Allows(Caller caller, AccessRequest wanted) => RulesOf(caller, wanted.Namespace).Any(rule =>
        Has(rule, "verbs", wanted.Verb) && Has(rule, "apiGroups", wanted.Group)
        && (Has(rule, "resources", wanted.Resource) || Has(rule, "resources", "*/" + wanted.Resource.Split('/').ElementAtOrDefault(1)))
        && (rule["resourceNames"] is not JsonArray { Count: > 0 } || Has(rule, "resourceNames", wanted.Name)));

    public bool AllowsPath(Caller caller, string verb, string path) => RulesOf(caller, string.Empty).Any(rule =>
        Has(rule, "verbs", verb) && Values(rule, "nonResourceURLs").Any(p =>
            p == path || (p.EndsWith('*') && path.StartsWith(p[..^1], StringComparison.Ordinal))));

    /// <summary>Rejects with the messages of kube-apiserver.</summary>
    public void Demand(Caller caller, AccessRequest wanted)
    {
        if (Allows(caller, wanted)) return;
        var plural = wanted.Resource.Split('/')[0];
        var details = new JsonObject();
        if (wanted.Name.Length > 0) details["name"] = wanted.Name;
        if (wanted.Group.Length > 0) details["group"] = wanted.Group;
        details["kind"] = plural;
        var subject = wanted.Group.Length == 0 ? plural : $"{plural}.{wanted.Group}";
        if (wanted.Name.Length > 0) subject += $" \"{wanted.Name}\"";
        var scope = wanted.Namespace.Length > 0 ? $"in the namespace \"{wanted.Namespace}\"" : "at the cluster scope";
        var what = $"User \"{caller.Name}\" cannot {wanted.Verb} resource \"{wanted.Resource}\" in API group \"{wanted.Group}\" {scope}";
        throw new ApiFault(403, "Forbidden", $"{subject} is forbidden: {what}", details);
    }

    public void DemandPath(Caller caller, string verb, string path)
    {
        if (!AllowsPath(caller, verb, path))
            throw new ApiFault(403, "Forbidden", $"forbidden: User \"{caller.Name}\" cannot {verb} path \"{path}\"", []);
    }

    /// <summary>What a user may do in a namespace, as rules of RBAC.</summary>
    public IEnumerable<JsonObject> RulesOf(Caller caller, string namespaceName)
    {
        if (caller.IsAdministrator) return OfAdministrators;
        var grants = _grants.GetValueOrDefault(caller.Name, []).Where(g => g.Namespace is null || g.Namespace == namespaceName);
        var bindings = store.List(ObjectKind.ClusterRoleBinding, string.Empty).Items;
        if (namespaceName.Length > 0) bindings = [.. bindings, .. store.List(ObjectKind.RoleBinding, namespaceName).Items];
        return [.. caller.IsAuthenticated ? OfUsers : OfAll, .. grants.Select(g => g.ToRule()), .. bindings.SelectMany(Bound)];

        IEnumerable<JsonObject> Bound(StoredObject binding)
        {
            var source = binding.Thaw();
            if (source["subjects"] is not JsonArray subjects || !subjects.Any(s => caller.Is(s, binding.Namespace))) return [];
            var (kind, space) = ApiJson.TextAt(source, "roleRef", "kind") == "Role"
                ? (ObjectKind.NamespacedRole, binding.Namespace)
                : (ObjectKind.ClusterRole, string.Empty);
            var role = store.Find(new ObjectKey(kind, space, ApiJson.TextAt(source, "roleRef", "name") ?? string.Empty));
            return (role?.Thaw()["rules"] as JsonArray ?? []).OfType<JsonObject>();
        }
    }

    private static JsonObject Paths(params string[] paths) => new()
    {
        ["verbs"] = paths is ["*"] ? new JsonArray("*") : new JsonArray("get"),
        ["nonResourceURLs"] = ApiJson.Texts(paths),
    };

    private static JsonObject Rule(string[] verbs, string[] groups, string[] resources) => new()
    {
        ["verbs"] = ApiJson.Texts(verbs),
        ["apiGroups"] = ApiJson.Texts(groups),
        ["resources"] = ApiJson.Texts(resources),
    };

    private static IEnumerable<string> Values(JsonObject rule, string field) =>
        (rule[field] as JsonArray ?? []).Select(v => v?.ToString() ?? string.Empty);

    private static bool Has(JsonObject rule, string field, string value) => Values(rule, field).Any(v => v == "*" || v == value);
}
