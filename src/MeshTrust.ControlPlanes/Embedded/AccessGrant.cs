namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>What a user may do: a Role and its binding in one. Members of <c>system:masters</c> need none.</summary>
public sealed record AccessGrant
{
    /// <summary>Verbs as RBAC names them (get, list, watch, create, update, patch, delete, deletecollection), or <c>*</c>.</summary>
    public required IReadOnlyList<string> Verbs { get; init; }

    /// <summary>Plural resource names (secrets, configmaps, namespaces), or <c>*</c>.</summary>
    public required IReadOnlyList<string> Resources { get; init; }

    /// <summary>The only namespace this holds in; null for all (a ClusterRoleBinding).</summary>
    public string? Namespace { get; init; }

    internal bool Allows(string verb, string resource, string namespaceName) =>
        (Namespace is null || Namespace == namespaceName)
        && (Verbs.Contains("*") || Verbs.Contains(verb))
        && (Resources.Contains("*") || Resources.Contains(resource));
}
