namespace MeshTrust.Kubernetes;

/// <summary>A secret as an API server holds it. Its ToString names keys and sizes, never values.</summary>
public sealed record SecretDocument
{
    /// <summary>The namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>The name.</summary>
    public required string Name { get; init; }

    /// <summary>The type; <c>Opaque</c> for <c>cacerts</c>.</summary>
    public string Type { get; init; } = "Opaque";

    /// <summary>The data, decoded.</summary>
    public required IReadOnlyDictionary<string, byte[]> Data { get; init; }

    /// <summary>Whether the server refuses changes; null where it was not said.</summary>
    public bool? Immutable { get; init; }

    /// <summary>The server's opaque version; null on a document that was not read.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>When it was created; null on a document that was not read.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Names and sizes only.</summary>
    public override string ToString() => $"secret {Namespace}/{Name} ({string.Join(", ", Data.Select(d => $"{d.Key}: {d.Value.Length} bytes"))})";
}
