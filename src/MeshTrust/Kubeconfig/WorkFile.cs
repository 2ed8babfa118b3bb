using MeshTrust.IO;

namespace MeshTrust.Kubeconfig;

/// <summary>A file of the work directory: written whole or not at all, and not written where nothing changed.</summary>
public static class WorkFile
{
    /// <summary>Writes a file.</summary>
    /// <param name="file">What to write, and where.</param>
    /// <returns>Whether the file changed.</returns>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the disk refuses.</exception>
    public static bool Write(ContextsFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        try
        {
            CreateDirectory(Path.GetDirectoryName(file.Path)!, file.Secret);
            return WholeFile.ReplaceIfChanged(file.Path, System.Text.Encoding.UTF8.GetBytes(file.Text), file.Secret);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw new MeshTrustException(Stage.Contexts, new Problem("MT0218", file.Path,
                $"The file cannot be written: {e.Message.TrimEnd('.')}.",
                "See that the work directory exists, is yours and has space; or choose another with --work-dir."));
        }
    }

    private static void CreateDirectory(string path, bool secret)
    {
        if (secret && !OperatingSystem.IsWindows()) Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        else Directory.CreateDirectory(path);
    }
}
