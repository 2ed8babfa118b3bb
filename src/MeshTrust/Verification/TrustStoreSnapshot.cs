namespace MeshTrust.Verification;

/// <summary>The files of the trust store as they lay on disk, for drift and for their modes.</summary>
public sealed class TrustStoreSnapshot
{
    /// <summary>The store's directory.</summary>
    public required string Directory { get; init; }

    /// <summary>Its files, ordered by path.</summary>
    public IReadOnlyList<StoredFile> Files { get; init; } = [];

    /// <summary>The modes of the store's directory (path <c>.</c>) and of those in it; empty on Windows.</summary>
    public IReadOnlyDictionary<string, UnixFileMode> Directories { get; init; } = new Dictionary<string, UnixFileMode>();

    /// <summary>Files that could not be read, each as a sentence.</summary>
    public IReadOnlyList<string> Unread { get; init; } = [];

    /// <summary>The file at a path below the store; null where there is none.</summary>
    public StoredFile? Find(string path) => Files.FirstOrDefault(f => string.Equals(f.Path, path, StringComparison.Ordinal));
}
