namespace MeshTrust.Tests.Cake;

/// <summary>The root of the repository that the tests were built in.</summary>
internal static class RepositoryRoot
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(directory.FullName, "MeshTrust.slnx"))) return directory.FullName;
        }

        throw new InvalidOperationException($"No MeshTrust.slnx above {AppContext.BaseDirectory}.");
    }
}
