using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Identity;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// The rights of a user in the core group: a Role and its binding in one, besides those that the server stores. Members of
/// <c>system:masters</c> need none.
/// </summary>
public sealed record AccessGrant
{
    /// <summary>Verbs as RBAC names them (get, list, watch, create, update, patch, delete, deletecollection), or <c>*</c>.</summary>
    public required IReadOnlyList<string> Verbs { get; init; }

    /// <summary>Plural resource names of the core group (secrets, configmaps, namespaces), or <c>*</c>.</summary>
    public required IReadOnlyList<string> Resources { get; init; }

    /// <summary>The only namespace that this applies to; null for all (a ClusterRoleBinding).</summary>
    public string? Namespace { get; init; }

    /// <summary>The same as a rule of RBAC.</summary>
    internal JsonObject ToRule() => new()
    {
        ["verbs"] = ApiJson.Texts(Verbs),
        ["apiGroups"] = new JsonArray(string.Empty),
        ["resources"] = ApiJson.Texts(Resources),
    };
}

/// <summary>A requested action. A resource may include its subresource after a slash.</summary>
internal sealed record AccessRequest(string Verb, string Group, string Resource, string Namespace = "", string Name = "");

internal sealed record Caller(string Name, IReadOnlyList<string> Groups, string? Uid = null)
{
    private const string ServiceAccountPrefix = "system:serviceaccount:";
    private const string Authenticated = "system:authenticated";
    public static readonly Caller Anonymous = new("system:anonymous", ["system:unauthenticated"]);

    public bool IsAdministrator => Groups.Contains(ServerIdentity.AdministratorGroup);
    public bool IsAuthenticated => Groups.Contains(Authenticated);

    public static Caller User(string name, IEnumerable<string> groups) =>
        name.Split(':') is ["system", "serviceaccount", var space, _] && !groups.Any()
            ? new(name, ["system:serviceaccounts", $"system:serviceaccounts:{space}", Authenticated])
            : new(name, [.. groups, Authenticated]);

    public static Caller ServiceAccount(string namespaceName, string name, string? uid) =>
        User($"{ServiceAccountPrefix}{namespaceName}:{name}", []) with { Uid = uid };

    /// <summary>The user of a binding's subject.</summary>
    public bool Is(JsonNode? subject, string namespaceName) => (subject?["kind"]?.ToString(), subject?["name"]?.ToString()) switch
    {
        ("User", var name) => name == Name,
        ("Group", { } name) => Groups.Contains(name),
        ("ServiceAccount", var name) => Name == $"{ServiceAccountPrefix}{subject!["namespace"]?.ToString() ?? namespaceName}:{name}",
        _ => false,
    };

    public JsonObject ToJson()
    {
        var user = new JsonObject { ["username"] = Name };
        if (Uid is not null) user["uid"] = Uid;
        user["groups"] = ApiJson.Texts(Groups);
        return user;
    }
}

/// <summary>Identifies a client by the certificate of its connection or the token of a service account.</summary>
internal sealed class Authentication(X509Certificate2 ca, ServiceAccountTokens tokens, TimeProvider clock)
{
    private const string CommonName = "2.5.4.3";
    private const string Organization = "2.5.4.10";

    // A chain is built once per connection, not per request.
    private readonly ConditionalWeakTable<X509Certificate2, Caller> _known = [];

    /// <summary>The caller. Null means 401: a certificate of another CA, an expired one, or a token that is not valid.</summary>
    public Caller? Identify(X509Certificate2? certificate, string authorization)
    {
        if (certificate is not null) return Verify(certificate);
        const string Bearer = "Bearer ";
        return authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? tokens.Verify(authorization[Bearer.Length..].Trim(), [])?.Caller
            : Caller.Anonymous;
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
