namespace MeshTrust.Kubernetes;

/// <summary>A ConfigMap as an API server holds it.</summary>
public sealed record ConfigMapDocument
{
    /// <summary>The namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>The name.</summary>
    public required string Name { get; init; }

    /// <summary>The data.</summary>
    public required IReadOnlyDictionary<string, string> Data { get; init; }
}
