namespace MeshTrust.IO;

/// <summary>
/// Files that are written completely or not at all: to a temporary file in the same directory (<see cref="TemporaryPattern"/>), then
/// renamed into place. Readers see the old content or the new. The writer holds a lock on the temporary file, which the system releases
/// when a process dies: a temporary file without a lock was left by a killed run.
/// </summary>
/// <remarks>
/// Secret files are 0600 (directories: 0700) from their creation, others 0644. Every member throws what the file system throws.
/// </remarks>
internal static class AtomicFile
{
    public const string TemporaryPattern = ".*" + TemporarySuffix;
    private const string TemporarySuffix = ".meshtrust.tmp";
    private const int Attempts = 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyDirectory = OwnerOnly | UnixFileMode.UserExecute;
    private const UnixFileMode ReadableByAll = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Writes a file in an existing directory. Nothing is left behind if that fails.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content, bool secret) => Put(path, content, secret, overwrite: true);

    /// <summary>As <see cref="Replace"/>, if the content differs or others may read a secret file.</summary>
    /// <returns>Whether the file changed.</returns>
    public static bool ReplaceIfChanged(string path, ReadOnlySpan<byte> content, bool secret)
    {
        if (IsCurrent(path, content, secret)) return false;
        Replace(path, content, secret);
        return true;
    }

    /// <summary>As <see cref="Replace"/>, but an existing file is kept.</summary>
    public static void CreateIfAbsent(string path, ReadOnlySpan<byte> content, bool secret)
    {
        try
        {
            Put(path, content, secret, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was faster.
        }
    }

    /// <summary>A new file for one writer. Not atomic: for temporary files, logs, and directories that are renamed as a whole.</summary>
    public static FileStream CreateNew(string path, bool secret, FileShare share = FileShare.None)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = secret ? OwnerOnly : ReadableByAll;
        return new FileStream(path, options);
    }

    /// <summary>Creates a directory if it is missing; an existing secret one keeps its mode.</summary>
    public static void CreateDirectory(string path, bool secret)
    {
        if (secret && !OperatingSystem.IsWindows()) Directory.CreateDirectory(path, OwnerOnlyDirectory);
        else Directory.CreateDirectory(path);
    }

    /// <summary>Creates a directory if it is missing, and removes other users' permissions.</summary>
    public static void CreatePrivateDirectory(string path)
    {
        CreateDirectory(path, secret: true);
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) != OwnerOnlyDirectory)
            File.SetUnixFileMode(path, OwnerOnlyDirectory);
    }

    /// <summary>Removes what killed runs left in a directory, not below it. Files that a process is writing stay.</summary>
    public static void Sweep(string directory)
    {
        if (!Directory.Exists(directory)) return;
        DiskFault.Ignore(() =>
        {
            foreach (var file in Directory.EnumerateFiles(directory, TemporaryPattern)) DiskFault.Ignore(() => RemoveIfAbandoned(file));
        });
    }

    private static void Put(string path, ReadOnlySpan<byte> content, bool secret, bool overwrite)
    {
        for (var attempt = 1; ; attempt++)
        {
            var temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}-{Guid.NewGuid():N}{TemporarySuffix}");
            try
            {
                // Renamed while open, so that it never exists without a lock.
                using var stream = CreateNew(temporary, secret, FileShare.Delete);
                stream.Write(content);
                File.Move(temporary, path, overwrite);
                return;
            }
            catch (Exception fault)
            {
                DiskFault.Ignore(() => File.Delete(temporary));
                // A sweep may have removed the file between its creation and its lock: it is then written again.
                if (attempt == Attempts || !(DiskFault.IsTaken(fault) || fault is FileNotFoundException)) throw;
            }
        }
    }

    private static bool IsCurrent(string path, ReadOnlySpan<byte> content, bool secret)
    {
        if (!File.Exists(path)) return false;
        if (secret && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnerOnly) != 0) return false;
        return content.SequenceEqual(File.ReadAllBytes(path));
    }

    /// <summary>Throws if a process holds the file.</summary>
    private static void RemoveIfAbandoned(string file)
    {
        using var held = new FileStream(
            file, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
    }
}
