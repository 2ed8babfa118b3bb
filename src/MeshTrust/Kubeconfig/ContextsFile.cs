namespace MeshTrust.Kubeconfig;

/// <summary>One file of a <see cref="ContextsPlan"/>. Its ToString never shows the text.</summary>
public sealed record ContextsFile
{
    /// <summary>The absolute path.</summary>
    public required string Path { get; init; }

    /// <summary>The text, with LF line ends.</summary>
    public required string Text { get; init; }

    /// <summary>Whether the text holds credentials: mode 0600 and nobody else's eyes.</summary>
    public required bool Secret { get; init; }

    /// <summary>Path and size only.</summary>
    public override string ToString() => $"{Path} ({Text.Length} characters)";
}
