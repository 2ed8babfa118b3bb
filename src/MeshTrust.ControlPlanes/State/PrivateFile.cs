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

    /// <summary>A new file for one writer that others may read while it grows.</summary>
    public static FileStream CreateLog(string path)
    {
        File.Delete(path);
        var options = Options(FileMode.CreateNew);
        options.Share = FileShare.ReadWrite | FileShare.Delete;
        return new FileStream(path, options);
    }

    private static FileStreamOptions Options(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = FileMode600;
        return options;
    }
}
