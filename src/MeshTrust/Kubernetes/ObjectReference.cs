namespace MeshTrust.Kubernetes;

/// <summary>Which object of an API server: its group and version, the plural of its kind, where it is and what it is called.</summary>
/// <param name="ApiVersion">Group and version, such as <c>v1</c> or <c>apps/v1</c>.</param>
/// <param name="Resource">The plural of its kind, such as <c>deployments</c>.</param>
/// <param name="Namespace">Its namespace; null for a kind that has none.</param>
/// <param name="Name">Its name.</param>
public sealed record ObjectReference(string ApiVersion, string Resource, string? Namespace, string Name)
{
    /// <summary>For people: <c>deployments metallb-system/controller</c>.</summary>
    public override string ToString() => $"{Resource} {(Namespace is null ? "" : $"{Namespace}/")}{Name}";
}
