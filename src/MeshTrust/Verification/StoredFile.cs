namespace MeshTrust.Verification;

/// <summary>One file of the trust store. Its ToString names the file, never its text.</summary>
public sealed class StoredFile
{
    /// <summary>The path below the store, with '/' (for instance <c>east/ca-cert.pem</c>).</summary>
    public required string Path { get; init; }

    /// <summary>The text; empty for root keys, which are never read for a report.</summary>
    public ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>The file's mode; null on Windows.</summary>
    public UnixFileMode? Mode { get; init; }

    /// <summary>Whether git keeps this file in its index.</summary>
    public bool TrackedByGit { get; init; }

    /// <summary>The path only.</summary>
    public override string ToString() => Path;
}
