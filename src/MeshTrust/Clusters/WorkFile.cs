namespace MeshTrust.Clusters;

/// <summary>A file of the work directory: written whole or not at all, and not written where nothing changed.</summary>
internal static class WorkFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a file by way of a temporary one beside it.</summary>
    /// <returns>Whether the file changed.</returns>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the disk refuses.</exception>
    internal static bool Write(ContextsFile file)
    {
        var temporary = $"{file.Path}.{Guid.NewGuid():N}.tmp";
        try
        {
            Sweep(file.Path);
            if (IsCurrent(file)) return false;
            CreateDirectory(Path.GetDirectoryName(file.Path)!, file.Secret);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = file.Secret ? OwnerOnly : OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            using (var stream = new FileStream(temporary, options))
            {
                stream.Write(System.Text.Encoding.UTF8.GetBytes(file.Text));
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, file.Path, overwrite: true);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
            throw new MeshTrustException(Stage.Contexts, new Problem
            {
                Id = "MT0218",
                Place = file.Path,
                What = $"The file cannot be written: {e.Message.TrimEnd('.')}.",
                Remedy = "See that the work directory exists, is yours and has space; or choose another with --work-dir.",
            });
        }
    }

    /// <summary>Removes what a killed run left behind. A write takes milliseconds, so what is older than a minute is nobody's.</summary>
    private static void Sweep(string path)
    {
        var directory = new DirectoryInfo(Path.GetDirectoryName(path)!);
        if (!directory.Exists) return;
        var before = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-1);
        foreach (var left in directory.EnumerateFiles(Path.GetFileName(path) + ".*.tmp").Where(f => f.LastWriteTimeUtc < before)) TryDelete(left.FullName);
    }

    private static bool IsCurrent(ContextsFile file)
    {
        if (!File.Exists(file.Path)) return false;
        if (file.Secret && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.Path) & ~OwnerOnly) != 0) return false;
        return string.Equals(File.ReadAllText(file.Path), file.Text, StringComparison.Ordinal);
    }

    private static void CreateDirectory(string path, bool secret)
    {
        if (secret && !OperatingSystem.IsWindows()) Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        else Directory.CreateDirectory(path);
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first fault is told; a leftover with a unique name and mode 0600 does no harm.
        }
    }
}
