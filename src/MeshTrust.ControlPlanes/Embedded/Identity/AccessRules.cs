using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Objects;

namespace MeshTrust.ControlPlanes.Embedded.Identity;

/// <summary>Who may do what: administrators everything, others what they were granted and what RBAC's default roles give everybody.</summary>
internal sealed class AccessRules
{
    private static readonly string[] OpenPaths = ["/healthz", "/livez", "/readyz", "/version"];
    private static readonly string[] DiscoveryPaths = ["/api", "/apis", "/openapi"];

    private readonly ConcurrentDictionary<string, IReadOnlyList<AccessGrant>> _grants = new(StringComparer.Ordinal);

    public void Grant(string user, IReadOnlyList<AccessGrant> grants) => _grants[user] = grants;

    public bool Allows(Caller caller, string verb, string group, string resource, string namespaceName) =>
        caller.IsAdministrator
        || (group == "authorization.k8s.io" && resource == "selfsubjectaccessreviews" && verb == "create" && caller.IsAuthenticated)
        || (group.Length == 0 && _grants.GetValueOrDefault(caller.Name, []).Any(g => g.Allows(verb, resource, namespaceName)));

    public static bool AllowsPath(Caller caller, string verb, string path)
    {
        if (caller.IsAdministrator) return true;
        if (verb != "get") return false;
        return OpenPaths.Any(p => IsBelow(path, p)) || (caller.IsAuthenticated && DiscoveryPaths.Any(p => IsBelow(path, p)));
    }

    /// <summary>Refuses in the words of kube-apiserver.</summary>
    public void Demand(Caller caller, string verb, string group, string resource, string namespaceName, string name)
    {
        if (Allows(caller, verb, group, resource, namespaceName)) return;
        var plural = resource.Split('/')[0];
        var qualified = group.Length == 0 ? plural : $"{plural}.{group}";
        var details = new JsonObject();
        if (name.Length > 0) details["name"] = name;
        if (group.Length > 0) details["group"] = group;
        details["kind"] = plural;
        var subject = name.Length > 0 ? $"{qualified} \"{name}\"" : qualified;
        var where = namespaceName.Length > 0 ? $"in the namespace \"{namespaceName}\"" : "at the cluster scope";
        throw new ApiFault(403, "Forbidden", $"{subject} is forbidden: User \"{caller.Name}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {where}", details);
    }

    public static void DemandPath(Caller caller, string verb, string path)
    {
        if (!AllowsPath(caller, verb, path))
            throw new ApiFault(403, "Forbidden", $"forbidden: User \"{caller.Name}\" cannot {verb} path \"{path}\"", []);
    }

    private static bool IsBelow(string path, string parent) =>
        path.StartsWith(parent, StringComparison.Ordinal) && (path.Length == parent.Length || path[parent.Length] == '/');
}
