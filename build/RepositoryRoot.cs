using Cake.Core;

namespace Build;

/// <summary>The root of this repository. Its own tasks work there, whatever folder the user is in: paths of arguments count from the user's folder.</summary>
public static class RepositoryRoot
{
    private static readonly Lazy<string> Found = new(() => Find(AppContext.BaseDirectory));

    /// <summary>The root that the build program was compiled in.</summary>
    public static string Path => Found.Value;

    /// <summary>A path inside the repository, absolute.</summary>
    public static string At(string path) => System.IO.Path.Combine(Path, path);

    /// <summary>The nearest directory above that holds MeshTrust.slnx.</summary>
    /// <exception cref="CakeException">There is none.</exception>
    public static string Find(string below)
    {
        for (var directory = new DirectoryInfo(below); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(directory.FullName, "MeshTrust.slnx"))) return directory.FullName;
        }

        throw new CakeException($"There is no MeshTrust.slnx above {below}. Run this task with build.sh or build.ps1 of the repository.");
    }
}
