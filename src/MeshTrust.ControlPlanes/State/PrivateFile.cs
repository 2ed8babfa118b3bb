namespace MeshTrust.ControlPlanes.State;

/// <summary>Files that only their owner can read, from their first moment on.</summary>
internal static class PrivateFile
{
    private const UnixFileMode FileMode600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode DirectoryMode700 = FileMode600 | UnixFileMode.UserExecute;

    public static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(path, DirectoryMode700);
        if (File.GetUnixFileMode(path) != DirectoryMode700) File.SetUnixFileMode(path, DirectoryMode700);
    }

    public static FileStream OpenExclusive(string path) => new(path, Options(FileMode.OpenOrCreate));

    /// <summary>Writes beside the target and renames: readers see the old content or the new.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var temporary = $"{path}.{Environment.ProcessId}-{Guid.NewGuid():n}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, Options(FileMode.CreateNew))) stream.Write(content);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>As <see cref="Replace"/>, where the content or the mode is another.</summary>
    public static void ReplaceIfChanged(string path, ReadOnlySpan<byte> content)
    {
        if (File.Exists(path) && HasMode600(path) && content.SequenceEqual(File.ReadAllBytes(path))) return;
        Replace(path, content);
    }

    /// <summary>A new file for one writer that others may read while it grows.</summary>
    public static FileStream CreateLog(string path)
    {
        File.Delete(path);
        var options = Options(FileMode.CreateNew);
        options.Share = FileShare.ReadWrite | FileShare.Delete;
        return new FileStream(path, options);
    }

    private static bool HasMode600(string path) => OperatingSystem.IsWindows() || File.GetUnixFileMode(path) == FileMode600;

    /// <summary>Removes what a killed process left behind; only the holder of the lock may.</summary>
    public static void Sweep(string directory)
    {
        foreach (var file in Directory.EnumerateFiles(directory, "*.tmp")) File.Delete(file);
    }

    private static FileStreamOptions Options(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = FileMode600;
        return options;
    }
}
