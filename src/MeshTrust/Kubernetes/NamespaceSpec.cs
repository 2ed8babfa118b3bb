namespace MeshTrust.Kubernetes;

/// <summary>A namespace as it should be: it may carry more labels and annotations than these, never others under these keys.</summary>
public sealed record NamespaceSpec
{
    /// <summary>The name.</summary>
    public required string Name { get; init; }

    /// <summary>The labels that it must have.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The annotations that it must have.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();
}
