namespace MeshTrust.Kubernetes;

/// <summary>A namespace as an API server holds it.</summary>
public sealed record NamespaceDocument
{
    /// <summary>The name.</summary>
    public required string Name { get; init; }

    /// <summary>The uid: that of <c>kube-system</c> identifies a cluster.</summary>
    public required string Uid { get; init; }

    /// <summary>The labels.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>The annotations.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether it is being deleted.</summary>
    public bool Terminating { get; init; }
}
