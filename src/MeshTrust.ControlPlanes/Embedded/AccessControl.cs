using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Identity;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>The rights of a user: a Role and its binding in one. Members of <c>system:masters</c> need none.</summary>
public sealed record AccessGrant
{
    /// <summary>Verbs as RBAC names them (get, list, watch, create, update, patch, delete, deletecollection), or <c>*</c>.</summary>
    public required IReadOnlyList<string> Verbs { get; init; }

    /// <summary>Plural resource names (secrets, configmaps, namespaces), or <c>*</c>.</summary>
    public required IReadOnlyList<string> Resources { get; init; }

    /// <summary>The only namespace that this applies to; null for all (a ClusterRoleBinding).</summary>
    public string? Namespace { get; init; }

    internal bool Allows(AccessRequest wanted) =>
        (Namespace is null || Namespace == wanted.Namespace)
        && (Verbs.Contains("*") || Verbs.Contains(wanted.Verb))
        && (Resources.Contains("*") || Resources.Contains(wanted.Resource));
}

/// <summary>A requested action. A resource may include its subresource after a slash.</summary>
internal sealed record AccessRequest(string Verb, string Group, string Resource, string Namespace = "", string Name = "");

internal sealed record Caller(string Name, IReadOnlyList<string> Groups)
{
    private const string Unauthenticated = "system:unauthenticated";
    public static readonly Caller Anonymous = new("system:anonymous", [Unauthenticated]);

    public bool IsAdministrator => Groups.Contains(ServerIdentity.AdministratorGroup);
    public bool IsAuthenticated => !Groups.Contains(Unauthenticated);
}

/// <summary>Identifies a client by the certificate of its connection.</summary>
internal sealed class Authentication(X509Certificate2 ca, TimeProvider clock)
{
    private const string CommonName = "2.5.4.3";
    private const string Organization = "2.5.4.10";

    // A chain is built once per connection, not per request.
    private readonly ConditionalWeakTable<X509Certificate2, Caller> _known = [];

    /// <summary>The caller. Null means 401: a certificate of another CA, an expired one, or a bearer token (not supported).</summary>
    public Caller? Identify(X509Certificate2? certificate, string authorization)
    {
        if (certificate is not null) return Verify(certificate);
        return authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? null : Caller.Anonymous;
    }

    private Caller? Verify(X509Certificate2 certificate)
    {
        var now = clock.GetUtcNow();
        if (now < certificate.NotBefore || now > certificate.NotAfter) return null;
        if (_known.TryGetValue(certificate, out var known)) return known;
        using var chain = new X509Chain { ChainPolicy = ServerIdentity.OnlyTrust(ca) };
        chain.ChainPolicy.ApplicationPolicy.Add(new(ThrowawayCa.ClientAuthentication));
        chain.ChainPolicy.VerificationTime = now.LocalDateTime;
        if (!chain.Build(certificate)) return null;
        var names = certificate.SubjectName.EnumerateRelativeDistinguishedNames().Where(r => !r.HasMultipleElements).ToLookup(
            r => r.GetSingleElementType().Value, r => r.GetSingleElementValue() ?? string.Empty);
        if (names[CommonName].LastOrDefault() is not { Length: > 0 } user) return null;
        var caller = new Caller(user, [.. names[Organization], "system:authenticated"]);
        _known.AddOrUpdate(certificate, caller);
        return caller;
    }
}

/// <summary>Authorization: administrators may do everything, others what they were granted and what RBAC's default roles allow.</summary>
internal sealed class AccessRules
{
    public const string ReviewGroup = "authorization.k8s.io";
    public const string Reviews = "selfsubjectaccessreviews";

    /// <summary>The shape of a SelfSubjectAccessReview in protobuf.</summary>
    public static readonly StructField ReviewSchema = new(("spec", 2, new StructField(
        ("resourceAttributes", 1, new StructField(
            ("namespace", 1, FieldType.Text),
            ("verb", 2, FieldType.Text),
            ("group", 3, FieldType.Text),
            ("version", 4, FieldType.Text),
            ("resource", 5, FieldType.Text),
            ("subresource", 6, FieldType.Text),
            ("name", 7, FieldType.Text))),
        ("nonResourceAttributes", 2, new StructField(("path", 1, FieldType.Text), ("verb", 2, FieldType.Text))))));

    private static readonly string[] OpenPaths = ["/healthz", "/livez", "/readyz", "/version"];
    private static readonly string[] DiscoveryPaths = ["/api", "/apis", "/openapi"];
    private readonly ConcurrentDictionary<string, IReadOnlyList<AccessGrant>> _grants = new(StringComparer.Ordinal);

    public void Grant(string user, IReadOnlyList<AccessGrant> grants) => _grants[user] = grants;

    public bool Allows(Caller caller, AccessRequest wanted) =>
        caller.IsAdministrator
        || (wanted is { Group: ReviewGroup, Resource: Reviews, Verb: "create" } && caller.IsAuthenticated)
        || (wanted.Group.Length == 0 && _grants.GetValueOrDefault(caller.Name, []).Any(g => g.Allows(wanted)));

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

    public static void DemandPath(Caller caller, string verb, string path)
    {
        if (!AllowsPath(caller, verb, path))
            throw new ApiFault(403, "Forbidden", $"forbidden: User \"{caller.Name}\" cannot {verb} path \"{path}\"", []);
    }

    /// <summary>Answers <c>kubectl auth can-i</c>: a SelfSubjectAccessReview.</summary>
    public JsonObject Review(Caller caller, JsonObject review)
    {
        var spec = review["spec"] as JsonObject ?? [];
        var resource = spec["resourceAttributes"] as JsonObject ?? [];
        var name = $"{Text(resource, "resource")}/{Text(resource, "subresource")}".TrimEnd('/');
        var allowed = spec["nonResourceAttributes"] is JsonObject path
            ? AllowsPath(caller, Text(path, "verb"), Text(path, "path"))
            : Allows(caller, new(Text(resource, "verb"), Text(resource, "group"), name, Text(resource, "namespace")));
        return new JsonObject
        {
            ["kind"] = "SelfSubjectAccessReview",
            ["apiVersion"] = ReviewGroup + "/v1",
            ["metadata"] = new JsonObject { ["creationTimestamp"] = null },
            ["spec"] = spec.DeepClone(),
            ["status"] = new JsonObject { ["allowed"] = allowed },
        };
    }

    private static bool AllowsPath(Caller caller, string verb, string path) =>
        caller.IsAdministrator
        || (verb == "get" && (IsBelow(OpenPaths, path) || (caller.IsAuthenticated && IsBelow(DiscoveryPaths, path))));

    private static bool IsBelow(string[] parents, string path) =>
        parents.Any(p => path == p || path.StartsWith(p + "/", StringComparison.Ordinal));

    private static string Text(JsonObject source, string name) => source[name]?.ToString() ?? string.Empty;
}
