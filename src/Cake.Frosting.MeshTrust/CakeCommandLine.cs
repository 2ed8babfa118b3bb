namespace Cake.Frosting.MeshTrust;

/// <summary>
/// A host's command line. Cake.Frosting knows its own options in lower case only: <c>--DryRun</c> is no dry run to it, and <c>--TARGET=Clean</c> runs
/// the default target. Of an argument in two spellings it loses the second.
/// </summary>
public static class CakeCommandLine
{
    /// <summary>
    /// The same command line for <c>CakeHost.Run</c>, where upper and lower case do not matter in names: all are in lower case. A bare <c>--</c> is left
    /// out, for Cake ignores its own options behind it. Values stay as they are.
    /// </summary>
    public static IReadOnlyList<string> Normalize(IEnumerable<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        return [.. args.Select(Normalize).Where(word => word != "--")];
    }

    /// <summary>The values that an option has, in their order: <c>--name=value</c>, <c>--name:value</c> or <c>--name value</c>.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="names">The option's names with their dashes, in any case.</param>
    public static IEnumerable<string> Values(IReadOnlyList<string> args, params IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(names);
        var values = new List<string>();
        for (var i = 0; i < args.Count; i++)
        {
            var end = NameEnd(args[i]);
            if (!names.Contains(args[i][..end], StringComparer.OrdinalIgnoreCase)) continue;
            if (end < args[i].Length) values.Add(args[i][(end + 1)..]);
            else if (i + 1 < args.Count && !args[i + 1].StartsWith('-')) values.Add(args[i + 1]);
        }

        return values;
    }

    private static string Normalize(string word)
    {
        if (!word.StartsWith('-')) return word;
        var end = NameEnd(word);
        var name = word[..end].ToLowerInvariant();
        return (name.StartsWith("---", StringComparison.Ordinal) ? "--" + name.TrimStart('-') : name) + word[end..];
    }

    private static int NameEnd(string word) => word.AsSpan().IndexOfAny('=', ':') is var at and >= 0 ? at : word.Length;
}
