using System.Text;

namespace MeshTrust.Verification;

/// <summary>Reads the files of a trust store. A root key is only looked at from outside: its mode, never its text.</summary>
internal static class TrustStoreFiles
{
    public static TrustStoreSnapshot Read(string directory)
    {
        var root = Path.GetFullPath(directory);
        var files = new List<StoredFile>();
        var modes = new SortedDictionary<string, UnixFileMode>(StringComparer.Ordinal);
        var unread = new List<string>();
        var index = GitIndex(root, out var workTree);
        foreach (var folder in Directory.EnumerateDirectories(root).Prepend(root).Order(StringComparer.Ordinal))
        {
            if (!OperatingSystem.IsWindows()) modes[folder == root ? "." : Path.GetFileName(folder)] = File.GetUnixFileMode(folder);
            try
            {
                foreach (var path in Directory.EnumerateFiles(folder, "*.pem")) files.Add(Read(root, path, index, workTree));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                unread.Add($"{Path.GetRelativePath(root, folder)} could not be read: {e.Message}");
            }
        }

        return new TrustStoreSnapshot
        {
            Directory = root,
            Files = [.. files.OrderBy(f => f.Path, StringComparer.Ordinal)],
            Directories = modes,
            Unread = unread,
        };
    }

    private static StoredFile Read(string root, string path, byte[]? index, string workTree) => new()
    {
        Path = Path.GetRelativePath(root, path).Replace('\\', '/'),
        Content = Path.GetFileName(path) == "root-key.pem" ? default : File.ReadAllBytes(path),
        Mode = OperatingSystem.IsWindows() ? null : File.GetUnixFileMode(path),
        TrackedByGit = index is not null && index.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Path.GetRelativePath(workTree, path).Replace('\\', '/') + "\0")) >= 0,
    };

    // Index formats 2 and 3 hold each path in full and NUL-terminated; format 4 cuts shared prefixes, and then nothing is found.
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
