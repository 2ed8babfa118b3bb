using System.Reflection;

namespace Cake.Frosting.MeshTrust;

/// <summary>
/// A host's command line. Cake.Frosting recognises its own options in lower case only: it ignores <c>--DryRun</c>, and with
/// <c>--TARGET=Clean</c> it runs the default target. If an argument is given in two spellings, it drops the second.
/// </summary>
internal static class CakeCommandLine
{
    /// <summary>
    /// The command line for <c>CakeHost.Run</c> with all option names in lower case, so that case does not matter. A bare <c>--</c> is
    /// removed, because Cake ignores its own options after it. Values are unchanged.
    /// </summary>
    public static IReadOnlyList<string> Normalize(IEnumerable<string> args) => [.. args.Select(Normalize).Where(word => word != "--")];

    /// <summary>Without a task <c>Default</c>, the default target is <c>Verify</c>, whether it is named or no target is.</summary>
    public static IReadOnlyList<string> WithTarget(IReadOnlyList<string> args, IReadOnlyList<string> tasks)
    {
        if (tasks.Contains("Default", StringComparer.OrdinalIgnoreCase)) return args;
        var isGiven = args.Any(word => word[..NameEnd(word)] == "--target" || word.StartsWith("-t", StringComparison.Ordinal));
        if (!isGiven) return ["--target=Verify", .. args];
        return [.. args.Select((word, i) => IsDefault(i) ? word[..^"Default".Length] + "Verify" : word)];

        bool IsDefault(int i) =>
            Values([args[i]], "--target", "-t").Concat(i > 0 && args[i - 1] is "--target" or "-t" ? [args[i]] : [])
                .Contains("Default", StringComparer.OrdinalIgnoreCase);
    }

    public static IEnumerable<string> Targets(IReadOnlyList<string> args) => Values(args, "--target", "-t");

    /// <summary>The names of the public tasks of these assemblies.</summary>
    public static IReadOnlyList<string> TargetsOf(params IEnumerable<Assembly?> assemblies) =>
    [
        .. assemblies.OfType<Assembly>()
            .SelectMany(assembly => assembly.GetExportedTypes())
            .Where(type => !type.IsAbstract && typeof(IFrostingTask).IsAssignableFrom(type))
            .Select(type => type.GetCustomAttribute<TaskNameAttribute>()?.Name ?? type.Name),
    ];

    /// <summary>An option's values, in order: <c>--name=value</c>, <c>--name:value</c> or <c>--name value</c>, in any case.</summary>
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
