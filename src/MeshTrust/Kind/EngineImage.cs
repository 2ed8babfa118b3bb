namespace MeshTrust.Kind;

/// <summary>An image that the engine has.</summary>
public sealed record EngineImage
{
    /// <summary>Its id (<c>sha256:…</c>).</summary>
    public required string Id { get; init; }

    /// <summary>Its architecture as Go names it: <c>amd64</c>, <c>arm64</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Its digests by repository, such as <c>kindest/node@sha256:…</c>; empty for one that was built here.</summary>
    public IReadOnlyList<string> Digests { get; init; } = [];
}
