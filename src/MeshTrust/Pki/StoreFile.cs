using System.Globalization;
using MeshTrust.IO;

namespace MeshTrust.Pki;

/// <summary>One file of the trust store: bounded reads, link checks, and the names of temporary and replaced files.</summary>
internal static class StoreFile
{
    internal const string TemporaryPrefix = ".meshtrust-";
    internal const string TemporarySuffix = ".tmp";

    /// <summary>No file of the store is this large; a device or a wrong link may be.</summary>
    private const int Limit = 1 << 20;

    private const string ReplacedSuffix = ".old";
    private const string ReplacedTime = "yyyyMMdd'T'HHmmssfff'Z'";

    /// <summary>Whether a file of this name holds a key: <c>key.pem</c>, <c>ca-key.pem</c>, <c>root-key.pem</c>.</summary>
    internal static bool IsKey(string name) => name.EndsWith("key.pem", StringComparison.Ordinal);

    internal static string TemporaryPath(string directory, string about) =>
        Path.Combine(directory, $"{TemporaryPrefix}{about}-{Guid.NewGuid():N}{TemporarySuffix}");

    /// <summary>The content, or null if the file does not exist.</summary>
    /// <exception cref="MeshTrustException">MT1002 to MT1004.</exception>
    internal static byte[]? Read(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var buffer = new byte[stream.CanSeek ? Math.Clamp(stream.Length, 0, Limit + 1) : Limit + 1];
            var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length > Limit) throw WrongKind(path, "It is larger than 1 MiB, so it is not a PEM file of a CA.");
            return length == buffer.Length ? buffer : buffer[..length];
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            RefuseDanglingLink(path);
            return null;
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            if (Directory.Exists(path)) throw WrongKind(path, "There is a directory where a file should be.", fault);
            throw DiskFault.From(Stage.CertificateAuthority, path, fault);
        }
    }

    /// <summary>A new file, 0600 from its creation if it is a key; flushed if it must survive a power cut.</summary>
    internal static void Create(string path, ReadOnlySpan<byte> content, bool isKey, bool flush)
    {
        using var stream = AtomicFile.CreateNew(path, secret: isKey);
        stream.Write(content);
        if (flush) stream.Flush(flushToDisk: true);
    }

    /// <summary>Removes a leftover file or directory. A failure to remove it is ignored.</summary>
    internal static void Remove(string path) => DiskFault.Ignore(() =>
    {
        if (Directory.Exists(path) && new FileInfo(path).LinkTarget is null) Directory.Delete(path, recursive: true);
        else File.Delete(path);
    });

    /// <summary>The entries of a directory that match a pattern; none if it cannot be read.</summary>
    internal static string[] Find(string directory, string pattern)
    {
        try
        {
            return Directory.Exists(directory) ? Directory.GetFileSystemEntries(directory, pattern) : [];
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            return [];
        }
    }

    /// <summary>A link is never replaced by a file: its target would be left behind, and a mount may only be missing temporarily.</summary>
    internal static void RefuseLink(string path)
    {
        if (new FileInfo(path).LinkTarget is { } target)
            throw WrongKind(path, $"It is a symbolic link (to {target}), which is never overwritten.");
    }

    internal static void RefuseDanglingLink(string path)
    {
        for (var place = path; !string.IsNullOrEmpty(place); place = Path.GetDirectoryName(place))
        {
            if (new FileInfo(place).LinkTarget is { } target && !Path.Exists(place))
                throw WrongKind(place, $"It is a symbolic link to {target}, which does not exist.");
        }
    }

    internal static MeshTrustException WrongKind(string path, string message, Exception? inner = null) =>
        new(Stage.CertificateAuthority, DiskFault.WrongKind(path, message), inner);

    /// <summary>The unused name under which a replaced file is kept: <c>ca-key.pem.20261130T045533120Z.old</c>.</summary>
    internal static string ReplacedPath(string path, DateTimeOffset now)
    {
        for (var stamp = now.UtcDateTime; ; stamp = stamp.AddMilliseconds(1))
        {
            var kept = $"{path}.{stamp.ToString(ReplacedTime, CultureInfo.InvariantCulture)}{ReplacedSuffix}";
            if (!Path.Exists(kept)) return kept;
        }
    }

    internal static IEnumerable<string> Replaced(string directory, DateTimeOffset before) =>
        from file in CacertsFile.OfCluster
        from path in Directory.Exists(directory) ? Directory.EnumerateFiles(directory, $"{file}.*{ReplacedSuffix}") : []
        where DateTimeOffset.TryParseExact(
            Path.GetFileName(path)[(file.Length + 1)..^ReplacedSuffix.Length], ReplacedTime,
            CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time < before
        select path;
}
