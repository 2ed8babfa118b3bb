namespace MeshTrust.IO;

/// <summary>
/// Files that are written whole or not at all: beside their place under a temporary name (<see cref="TemporaryPattern"/>), then renamed
/// into it.
/// Readers see the old content or the new. The writer holds a lock on the temporary file, which the system releases when a process dies:
/// a temporary file without a lock was left by a killed run.
/// </summary>
/// <remarks>
/// What is secret is 0600 (a directory: 0700) from its creation; all else is 0644. Every member throws what the file system throws.
/// </remarks>
internal static class AtomicFile
{
    /// <summary>The name of every file that is not yet in its place.</summary>
    public const string TemporaryPattern = ".*" + TemporarySuffix;

    private const string TemporarySuffix = ".meshtrust.tmp";
    private const int Attempts = 5;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyDirectory = OwnerOnly | UnixFileMode.UserExecute;
    private const UnixFileMode ReadableByAll = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Writes a file, in a directory that exists. Nothing is left behind where the file system refuses.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content, bool secret)
    {
        for (var attempt = 1; !TryPut(path, content, secret, overwrite: true, last: attempt == Attempts); attempt++) { }
    }

    /// <summary>As <see cref="Replace"/>, where the content differs or others may read what is secret.</summary>
    /// <returns>Whether the file changed.</returns>
    public static bool ReplaceIfChanged(string path, ReadOnlySpan<byte> content, bool secret)
    {
        if (IsCurrent(path, content, secret)) return false;
        Replace(path, content, secret);
        return true;
    }

    /// <summary>As <see cref="Replace"/>, but an existing file stays as it is.</summary>
    public static void CreateIfAbsent(string path, ReadOnlySpan<byte> content, bool secret)
    {
        try
        {
            for (var attempt = 1; !TryPut(path, content, secret, overwrite: false, last: attempt == Attempts); attempt++) { }
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was faster.
        }
    }

    /// <summary>
    /// A new file for one writer. It is not atomic: for temporary names, logs, and directories that are renamed as a whole.
    /// </summary>
    /// <param name="path">The file, which must not exist.</param>
    /// <param name="secret">Whether only its owner may read it.</param>
    /// <param name="share">What others may do with it while it is open.</param>
    public static FileStream CreateNew(string path, bool secret, FileShare share = FileShare.None)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = secret ? OwnerOnly : ReadableByAll;
        return new FileStream(path, options);
    }

    /// <summary>Makes a directory where it is missing; a secret one that exists stays as its owner set it.</summary>
    public static void CreateDirectory(string path, bool secret)
    {
        if (secret && !OperatingSystem.IsWindows()) Directory.CreateDirectory(path, OwnerOnlyDirectory);
        else Directory.CreateDirectory(path);
    }

    /// <summary>Makes a directory where it is missing, and takes others' rights to it away.</summary>
    public static void CreatePrivateDirectory(string path)
    {
        CreateDirectory(path, secret: true);
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) != OwnerOnlyDirectory)
            File.SetUnixFileMode(path, OwnerOnlyDirectory);
    }

    /// <summary>
    /// Removes what killed runs left in a directory (not below it). What a running process is writing stays; what cannot be removed is left
    /// to the next run.
    /// </summary>
    public static void Sweep(string directory)
    {
        if (!Directory.Exists(directory)) return;
        try
        {
            foreach (var file in Directory.EnumerateFiles(directory, TemporaryPattern)) RemoveIfAbandoned(file);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            // Litter is no reason to fail.
        }
    }

    /// <summary>False where a sweep took the file between its creation and its lock; it is written again then.</summary>
    private static bool TryPut(string path, ReadOnlySpan<byte> content, bool secret, bool overwrite, bool last)
    {
        var temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}-{Guid.NewGuid():N}{TemporarySuffix}");
        try
        {
            // Renamed while it is open: at no moment is it there without a lock.
            using var stream = CreateNew(temporary, secret, FileShare.Delete);
            stream.Write(content);
            File.Move(temporary, path, overwrite);
            return true;
        }
        catch (Exception fault) when (!last && (DiskFault.IsTaken(fault) || fault is FileNotFoundException))
        {
            Remove(temporary);
            return false;
        }
        catch
        {
            Remove(temporary);
            throw;
        }
    }

    private static bool IsCurrent(string path, ReadOnlySpan<byte> content, bool secret)
    {
        if (!File.Exists(path)) return false;
        if (secret && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnerOnly) != 0) return false;
        return content.SequenceEqual(File.ReadAllBytes(path));
    }

    private static void RemoveIfAbandoned(string file)
    {
        try
        {
            using var held = new FileStream(
                file, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            // A process holds it, or it is gone, or is another user's.
        }
    }

    private static void Remove(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            // The first fault is reported; the next run sweeps.
        }
    }
}
