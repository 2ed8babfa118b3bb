namespace MeshTrust.Tests.Contracts;

/// <summary>A role and its binding in one.</summary>
/// <param name="Namespace">Where it applies; null for everywhere.</param>
/// <param name="Resources">Plural names of resources of the core group.</param>
/// <param name="Verbs">Verbs as RBAC names them.</param>
public sealed record UserGrant(string? Namespace, IReadOnlyList<string> Resources, IReadOnlyList<string> Verbs);
