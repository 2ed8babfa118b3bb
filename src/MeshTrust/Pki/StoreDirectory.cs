using MeshTrust.IO;

namespace MeshTrust.Pki;

/// <summary>A directory of files that belong together: key, certificate and chain.</summary>
internal static class StoreDirectory
{
    /// <summary>
    /// Writes the files. A new directory appears complete at once. In an existing directory, all new files are flushed to disk before the
    /// first is renamed: keys first, so that no mix of old and new can pass for a valid set. The files they replace are kept beside them
    /// under a name with the time.
    /// </summary>
    /// <returns>The paths of what was replaced.</returns>
    internal static IReadOnlyList<string> Write(
        string store, string directory, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, DateTimeOffset now)
    {
        IReadOnlyList<string> replaced = [];
        DiskFault.Report(Stage.CertificateAuthority, directory, () =>
        {
            if (Directory.Exists(directory)) replaced = ReplaceFiles(directory, files, now);
            else CreateWhole(store, directory, files);
        });
        return replaced;
    }

    private static void CreateWhole(string store, string directory, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
    {
        var staged = StoreFile.TemporaryPath(store, Path.GetFileName(directory));
        try
        {
            AtomicFile.CreateDirectory(staged, secret: true);
            // Not flushed one by one: a power cut can only cost what the next run detects and issues again.
            foreach (var (file, content) in files)
                StoreFile.Create(Path.Combine(staged, file), content.Span, StoreFile.IsKey(file), flush: false);
            CreateParents(store, directory);
            Directory.Move(staged, directory);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            StoreFile.Remove(staged);
            throw;
        }
    }

    private static void CreateParents(string store, string directory)
    {
        var parent = Path.GetDirectoryName(directory)!;
        if (parent == store || Directory.Exists(parent)) return;
        CreateParents(store, parent);
        AtomicFile.CreateDirectory(parent, secret: true);
    }

    private static List<string> ReplaceFiles(string directory, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, DateTimeOffset now)
    {
        var staged = new List<(string From, string To)>();
        var replaced = new List<string>();
        try
        {
            foreach (var (file, content) in files.OrderBy(f => StoreFile.IsKey(f.Key) ? 0 : 1))
            {
                var place = Path.Combine(directory, file);
                StoreFile.RefuseLink(place);
                if (Directory.Exists(place)) throw StoreFile.WrongKind(place, "There is a directory where a file should be.");
                if (StoreFile.Read(place) is { } old)
                {
                    replaced.Add(StoreFile.ReplacedPath(place, now));
                    Prepare(replaced[^1], old, isKey: true);
                }

                Prepare(place, content.Span, isKey: StoreFile.IsKey(file));
            }

            // Replaced files are saved before the first file changes.
            foreach (var (from, to) in staged.OrderBy(s => replaced.Contains(s.To) ? 0 : 1)) File.Move(from, to, overwrite: true);
            return replaced;
        }
        finally
        {
            foreach (var (from, _) in staged) StoreFile.Remove(from);
        }

        void Prepare(string place, ReadOnlySpan<byte> content, bool isKey)
        {
            var temporary = StoreFile.TemporaryPath(directory, Path.GetFileName(place));
            staged.Add((temporary, place));
            StoreFile.Create(temporary, content, isKey, flush: true);
        }
    }
}
