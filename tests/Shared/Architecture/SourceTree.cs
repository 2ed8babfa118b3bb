using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace MeshTrust.Tests.Architecture;

/// <summary>The sources of this repository, as the compiler found them.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    // Read once: the tests need each folder many times.
    private static readonly Lazy<IReadOnlyList<SourceFile>> All = new(() =>
    [
        .. from folder in (string[])["src", "build"]
           from path in Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
           let relative = Path.GetRelativePath(Root, path).Replace('\\', '/')
           where !relative.Contains("/obj/", StringComparison.Ordinal) && !relative.Contains("/bin/", StringComparison.Ordinal)
           select new SourceFile(relative, File.ReadAllText(path)),
    ]);

    /// <summary>What is in these folders of src or build, at any depth.</summary>
    public static IEnumerable<SourceFile> Under(params string[] folders) =>
        All.Value.Where(file => folders.Any(folder => file.Path.StartsWith(folder + "/", StringComparison.Ordinal)));

    private static string FindRoot([CallerFilePath] string here = "")
    {
        // A deterministic build in CI may map source paths; the test assembly is always below the root.
        foreach (var start in new[] { Path.GetDirectoryName(here), AppContext.BaseDirectory })
        {
            for (var directory = start; directory is not null; directory = Path.GetDirectoryName(directory))
            {
                if (File.Exists(Path.Combine(directory, "MeshTrust.slnx"))) return directory;
            }
        }

        throw new InvalidOperationException("The repository's root was not found above the test assembly.");
    }
}

/// <summary>One source file: its path from the root, with slashes, and its text.</summary>
internal sealed record SourceFile(string Path, string Text)
{
    /// <summary>The text without comments.</summary>
    public string Code { get; } = Regex.Replace(Text, @"^\s*///?.*$|(?<![:""'])//[^""\n]*$|/\*.*?\*/", "", RegexOptions.Multiline);

    public override string ToString() => Path;
}
