using System.Formats.Tar;
using System.IO.Compression;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>
/// Takes the programs out of an archive, by their names alone. An archive with a link, a device, a path that leads out of it, or a program twice
/// is none of envtest's, whatever its hash says: all of it is refused.
/// </summary>
internal static class ArchiveExtraction
{
    private const long Most = 2L << 30;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private static readonly string[] Programs = [.. BinaryStore.Needed, "kubectl"];

    /// <exception cref="InvalidDataException">It is refused, or cut off; the message is a clause.</exception>
    public static async Task ExtractAsync(string archive, string directory, ControlPlanePlatform platform, CancellationToken cancellationToken)
    {
        var wanted = Programs.Select(platform.FileName).ToHashSet(StringComparer.Ordinal);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        await using var file = File.OpenRead(archive);
        await using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        await using var tar = new TarReader(unzipped);
        long total = 0;
        try
        {
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
            {
                if ((total += entry.Length) > Most) throw new InvalidDataException($"it holds more than {Most >> 30} GiB");
                var name = Name(entry);
                if (entry.EntryType is TarEntryType.Directory or TarEntryType.GlobalExtendedAttributes || !wanted.Contains(name)) continue;
                if (!taken.Add(name)) throw new InvalidDataException($"it holds {name} twice");
                await SaveAsync(entry, Path.Combine(directory, name), cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException)
        {
            throw new InvalidDataException("it is cut off, or no tar.gz", e);
        }

        var missing = BinaryStore.Needed.Where(program => !taken.Contains(platform.FileName(program))).ToList();
        if (missing.Count > 0) throw new InvalidDataException($"it holds no {string.Join(" and no ", missing)}");
    }

    private static string Name(TarEntry entry)
    {
        if (entry.EntryType is TarEntryType.GlobalExtendedAttributes) return "";
        var parts = entry.Name.Split('/', '\\');
        if (parts[0].Length == 0 || parts.Contains("..") || entry.Name.Contains(':', StringComparison.Ordinal)) throw new InvalidDataException("it holds a path that leads out of it");
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.Directory)) throw new InvalidDataException("it holds a link or a device");
        return parts[^1];
    }

    private static async Task SaveAsync(TarEntry entry, string path, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Mode;
        await using var target = new FileStream(path, options);
        if (entry.DataStream is { } data) await data.CopyToAsync(target, cancellationToken).ConfigureAwait(false);
        // On the disk before its directory gets its final name: a power cut must not leave an empty program there.
        target.Flush(flushToDisk: true);
    }
}
