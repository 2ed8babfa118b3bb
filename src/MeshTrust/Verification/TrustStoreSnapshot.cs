using System.Text;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>The files of the trust store on disk, to compare with the secrets and to check their modes.</summary>
internal sealed class TrustStoreSnapshot
{
    public required string Directory { get; init; }
    public IReadOnlyList<StoredFile> Files { get; init; } = [];

    /// <summary>The modes of the store's directory (path <c>.</c>) and its subdirectories; empty on Windows.</summary>
    public IReadOnlyDictionary<string, UnixFileMode> Directories { get; init; } = new Dictionary<string, UnixFileMode>();

    /// <summary>The directories that could not be read, each as a sentence.</summary>
    public IReadOnlyList<string> Unread { get; init; } = [];

    public StoredFile? Find(string path) => Files.FirstOrDefault(f => string.Equals(f.Path, path, StringComparison.Ordinal));

    /// <summary>Reads a store. For a root key only the mode is read, never the content.</summary>
    public static TrustStoreSnapshot Read(string directory)
    {
        var root = Path.GetFullPath(directory);
        var files = new List<StoredFile>();
        var modes = new SortedDictionary<string, UnixFileMode>(StringComparer.Ordinal);
        var unread = new List<string>();
        var index = GitIndex(root, out var workTree);
        var below = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 };
        foreach (var folder in System.IO.Directory.EnumerateDirectories(root, "*", below).Prepend(root).Order(StringComparer.Ordinal))
        {
            if (!OperatingSystem.IsWindows()) modes[Path.GetRelativePath(root, folder).Replace('\\', '/')] = File.GetUnixFileMode(folder);
            try
            {
                foreach (var path in System.IO.Directory.EnumerateFiles(folder, "*.pem")) files.Add(Read(root, path, index, workTree));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                unread.Add($"{Path.GetRelativePath(root, folder)} could not be read: {e.Message}");
            }
        }

        return new TrustStoreSnapshot
        {
            Directory = root, Files = [.. files.OrderBy(f => f.Path, StringComparer.Ordinal)], Directories = modes, Unread = unread,
        };
    }

    /// <summary>One file, apart from its directory: only the mode is read.</summary>
    public static TrustStoreSnapshot OfFile(string path)
    {
        var mode = OperatingSystem.IsWindows() || !File.Exists(path) ? (UnixFileMode?)null : File.GetUnixFileMode(path);
        var file = new StoredFile { Path = path, Mode = mode };
        return new TrustStoreSnapshot { Directory = Path.GetDirectoryName(path) ?? "", Files = [file] };
    }

    private static StoredFile Read(string root, string path, byte[]? index, string workTree) => new()
    {
        Path = Path.GetRelativePath(root, path).Replace('\\', '/'),
        Content = Path.GetFileName(path) == CacertsFile.RootKey ? default : File.ReadAllBytes(path),
        Mode = OperatingSystem.IsWindows() ? null : File.GetUnixFileMode(path),
        TrackedByGit = index is not null
            && index.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Path.GetRelativePath(workTree, path).Replace('\\', '/') + "\0")) >= 0,
    };

    // Index formats 2 and 3 store each full path, NUL-terminated; format 4 drops shared prefixes, so nothing is found.
    private static byte[]? GitIndex(string directory, out string workTree)
    {
        for (var at = new DirectoryInfo(directory); at is not null; at = at.Parent)
        {
            var index = Path.Combine(at.FullName, ".git", "index");
            if (!File.Exists(index)) continue;
            workTree = at.FullName;
            try
            {
                return File.ReadAllBytes(index);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }

        workTree = directory;
        return null;
    }
}

/// <summary>One file of the trust store. ToString returns its path, never its content.</summary>
internal sealed class StoredFile
{
    /// <summary>The path relative to the store, with '/' (such as <c>east/ca-cert.pem</c>).</summary>
    public required string Path { get; init; }

    /// <summary>The content; empty for root keys, which are never read for a report.</summary>
    public ReadOnlyMemory<byte> Content { get; init; }

    public UnixFileMode? Mode { get; init; }
    public bool TrackedByGit { get; init; }

    public override string ToString() => Path;
}
