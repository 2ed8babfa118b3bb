using MeshTrust.IO;

namespace MeshTrust.Pki;

/// <summary>Files of the store: read with a limit, written whole or not at all.</summary>
internal static class StoreFile
{
    /// <summary>Nothing in the store is near this; a device or a wrong link may be.</summary>
    private const int Limit = 1 << 20;

    internal const UnixFileMode KeyMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    internal const UnixFileMode CertificateMode = KeyMode | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    internal const UnixFileMode DirectoryMode = KeyMode | UnixFileMode.UserExecute;

    internal const string TemporaryPrefix = ".meshtrust-";
    internal const string TemporarySuffix = ".tmp";

    internal static string TemporaryPath(string directory, string about) =>
        Path.Combine(directory, $"{TemporaryPrefix}{about}-{Guid.NewGuid():N}{TemporarySuffix}");

    /// <summary>The content, or null where there is no such file.</summary>
    /// <exception cref="MeshTrustException">MT1002 to MT1004.</exception>
    internal static byte[]? Read(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var buffer = new byte[stream.CanSeek ? Math.Clamp(stream.Length, 0, Limit + 1) : Limit + 1];
            var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length > Limit) throw new MeshTrustException(Stage.CertificateAuthority, DiskFault.WrongKind(path, "It is larger than 1 MiB, so it is no PEM file of a CA."));
            return length == buffer.Length ? buffer : buffer[..length];
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            RefuseDanglingLink(path);
            return null;
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            if (Directory.Exists(path)) throw new MeshTrustException(Stage.CertificateAuthority, DiskFault.WrongKind(path, "A directory stands where a file should be."), fault);
            throw DiskFault.From(Stage.CertificateAuthority, path, fault);
        }
    }

    /// <summary>A new file with its mode from the first moment on; keys never lie open, not even for a moment.</summary>
    internal static void Create(string path, ReadOnlySpan<byte> content, bool isKey, bool flush)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = isKey ? KeyMode : CertificateMode;
        using var stream = new FileStream(path, options);
        stream.Write(content);
        if (flush) stream.Flush(flushToDisk: true);
    }

    internal static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, DirectoryMode);
    }

    /// <summary>A link is never replaced by a file: what it points to would be left behind, and a mount may only be missing for now.</summary>
    internal static void RefuseLink(string path)
    {
        if (new FileInfo(path).LinkTarget is { } target) throw new MeshTrustException(Stage.CertificateAuthority, DiskFault.WrongKind(path, $"It is a symbolic link (to {target}), which is never written over."));
    }

    internal static void RefuseDanglingLink(string path)
    {
        for (var place = path; !string.IsNullOrEmpty(place); place = Path.GetDirectoryName(place))
        {
            if (new FileInfo(place).LinkTarget is { } target && !Path.Exists(place)) throw new MeshTrustException(Stage.CertificateAuthority, DiskFault.WrongKind(place, $"It is a symbolic link to {target}, which is not there."));
        }
    }
}
