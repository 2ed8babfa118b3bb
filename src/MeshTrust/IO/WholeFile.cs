namespace MeshTrust.IO;

/// <summary>
/// Files that are written whole or not at all: beside their place under a name of our own (<see cref="TemporaryPattern"/>), then renamed into it.
/// Whoever writes holds the temporary file's lock, which the system gives back when a process dies: so what nobody holds was left by a killed run.
/// </summary>
/// <remarks>The trust store has names and a rule of its own: there, what a killed run left may be the only way to finish.</remarks>
public static class WholeFile
{
    /// <summary>The name of everything that is being written and not yet in its place: <c>.*.meshtrust.tmp</c>.</summary>
    public const string TemporaryPattern = ".*" + TemporarySuffix;

    private const string TemporarySuffix = ".meshtrust.tmp";
    private const int Attempts = 5;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode ForAll = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Writes a file; readers see the old content or the new.</summary>
    /// <param name="path">The file; its directory is there.</param>
    /// <param name="content">All of its content.</param>
    /// <param name="secret">Whether only its owner may read it, from its first moment on (mode 0600, else 0644).</param>
    /// <exception cref="IOException">The disk refuses; nothing is left behind.</exception>
    /// <exception cref="UnauthorizedAccessException">As <see cref="IOException"/>.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content, bool secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        for (var attempt = 1; !TryPut(path, content, secret, overwrite: true, last: attempt == Attempts); attempt++) { }
    }

    /// <summary>As <see cref="Replace"/>, but a file that is there stays as it is.</summary>
    /// <inheritdoc cref="Replace" path="/exception"/>
    public static void CreateIfAbsent(string path, ReadOnlySpan<byte> content)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            for (var attempt = 1; !TryPut(path, content, secret: false, overwrite: false, last: attempt == Attempts); attempt++) { }
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was faster.
        }
    }

    /// <summary>As <see cref="Replace"/>, where the content is another or others may read what is secret.</summary>
    /// <returns>Whether the file changed.</returns>
    /// <inheritdoc cref="Replace" path="/exception"/>
    public static bool ReplaceIfChanged(string path, ReadOnlySpan<byte> content, bool secret)
    {
        if (IsCurrent(path, content, secret)) return false;
        Replace(path, content, secret);
        return true;
    }

    /// <summary>Removes what killed runs left in a directory (not below it). What a run under way is writing stays. What cannot be removed is left to the next run.</summary>
    public static void Sweep(string directory)
    {
        if (!Directory.Exists(directory)) return;
        try
        {
            foreach (var file in Directory.EnumerateFiles(directory, TemporaryPattern)) RemoveWhereNobodyHolds(file);
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
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = secret ? OwnerOnly : ForAll;
        try
        {
            // Renamed while it is open: at no moment does it lie there with nobody holding it.
            using var stream = new FileStream(temporary, options);
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

    private static void RemoveWhereNobodyHolds(string file)
    {
        try
        {
            using var held = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            // Somebody holds it, or it is gone, or is another user's.
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
            // The first fault is told; the next run sweeps.
        }
    }
}
