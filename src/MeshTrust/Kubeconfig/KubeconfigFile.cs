namespace MeshTrust.Kubeconfig;

/// <summary>Reads a kubeconfig file from disk, with a limit.</summary>
internal static class KubeconfigFile
{
    internal const string MissingId = "MT0201";
    private const int MaxBytes = 4 * 1024 * 1024;

    internal static bool TryRead(string path, out string? text, out Problem? problem)
    {
        (text, problem) = (null, null);
        try
        {
            var file = new FileInfo(path);
            if (Directory.Exists(path) || file.Exists && file.Length > MaxBytes)
            {
                problem = New("MT0203", path, "This is a directory, or too large for a kubeconfig.", "Name a kubeconfig file.");
                return false;
            }
            text = File.ReadAllText(path);
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problem = New(MissingId, path, "This kubeconfig does not exist.", "Set KUBECONFIG to a kubeconfig that exists, or take the provider 'embedded', which needs none.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problem = New("MT0210", path, $"This kubeconfig cannot be read: {e.Message.TrimEnd('.')}.", "See that the path is right and that you may read the file.");
        }
        return false;
    }

    /// <summary>A file that a kubeconfig names; null where it is missing or may not be read.</summary>
    internal static byte[]? ReadNamed(string path)
    {
        try
        {
            return File.Exists(path) && new FileInfo(path).Length <= MaxBytes ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static Problem New(string id, string place, string what, string remedy) => new(id, place, what, remedy);
}
