using MeshTrust.Tests.Architecture;

namespace MeshTrust.Tests;

/// <summary>Files that pin the wording of messages, so that a review shows every changed sentence.</summary>
internal static class Golden
{
    private const string Update = "MESHTRUST_UPDATE_GOLDEN";

    /// <summary>Compares sorted lines with a file. With MESHTRUST_UPDATE_GOLDEN=1 it writes the file instead.</summary>
    /// <param name="path">The file, from the repository's root.</param>
    /// <param name="lines">The lines, in any order. Mask what differs between runs.</param>
    public static void Compare(string path, IEnumerable<string> lines)
    {
        var file = Path.Combine(SourceTree.Root, path);
        var actual = lines.Distinct().Order(StringComparer.Ordinal).ToList();
        if (Environment.GetEnvironmentVariable(Update) == "1") File.WriteAllText(file, string.Concat(actual.Select(l => l + "\n")));
        Assert.That(actual, Is.EqualTo(File.ReadAllLines(file)), $"Check the wording, then rerun with {Update}=1 to rewrite {path}.");
    }

    /// <summary>Compares a text with a file, in its order. With MESHTRUST_UPDATE_GOLDEN=1 it writes the file instead.</summary>
    public static void CompareText(string path, string text)
    {
        var file = Path.Combine(SourceTree.Root, path);
        if (Environment.GetEnvironmentVariable(Update) == "1") File.WriteAllText(file, text);
        Assert.That(text, Is.EqualTo(File.ReadAllText(file)), $"Check the text, then rerun with {Update}=1 to rewrite {path}.");
    }
}
