using System.Reflection;

namespace Cake.Frosting.MeshTrust;

/// <summary>
/// A host's command line. Cake.Frosting knows its own options in lower case only: <c>--DryRun</c> is no dry run to it, and
/// <c>--TARGET=Clean</c> runs the default target. Of an argument in two spellings it loses the second.
/// </summary>
internal static class CakeCommandLine
{
    /// <summary>
    /// The same command line for <c>CakeHost.Run</c>, where upper and lower case do not matter in names: all are in lower case. A bare
    /// <c>--</c> is left out, for Cake ignores its own options behind it. Values stay as they are.
    /// </summary>
    public static IReadOnlyList<string> Normalize(IEnumerable<string> args) => [.. args.Select(Normalize).Where(word => word != "--")];

    /// <summary>The same command line with the target <c>Verify</c> where it names none and the build has no task <c>Default</c>.</summary>
    public static IReadOnlyList<string> WithTarget(IReadOnlyList<string> args, Assembly? build) =>
        args.Any(word => word[..NameEnd(word)] == "--target" || (word.StartsWith("-t", StringComparison.Ordinal)))
        || TargetsOf(build).Contains("Default", StringComparer.OrdinalIgnoreCase)
            ? args
            : ["--target=Verify", .. args];

    /// <summary>The targets that the command line names.</summary>
    public static IEnumerable<string> Targets(IReadOnlyList<string> args) => Values(args, "--target", "-t");

    /// <summary>The names of the targets that these assemblies have.</summary>
    public static IReadOnlyList<string> TargetsOf(params IEnumerable<Assembly?> assemblies) =>
    [
        .. assemblies.OfType<Assembly>()
            .SelectMany(assembly => assembly.GetExportedTypes())
            .Select(type => type.GetCustomAttribute<TaskNameAttribute>()?.Name)
            .OfType<string>(),
    ];

    /// <summary>The values that an option has, in their order: <c>--name=value</c>, <c>--name:value</c> or <c>--name value</c>.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="names">The option's names with their dashes, in any case.</param>
    public static IEnumerable<string> Values(IReadOnlyList<string> args, params IReadOnlyList<string> names)
    {
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
