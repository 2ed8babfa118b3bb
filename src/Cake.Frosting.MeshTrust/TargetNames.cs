using System.Reflection;

namespace Cake.Frosting.MeshTrust;

/// <summary>The names of the targets that a build has, and the one that a command line asks for.</summary>
internal static class TargetNames
{
    private static readonly string[] Options = ["--target", "-t"];

    /// <summary>The names that the tasks of these assemblies carry.</summary>
    internal static IReadOnlyList<string> Of(params IEnumerable<Assembly?> assemblies) =>
        [.. assemblies.OfType<Assembly>().SelectMany(a => a.GetExportedTypes()).Select(t => t.GetCustomAttribute<TaskNameAttribute>()?.Name).OfType<string>()];

    /// <summary>The target that the command line names first; null where it names none.</summary>
    internal static string? AskedFor(IReadOnlyList<string> args)
    {
        for (var i = 0; i < args.Count; i++)
        {
            var (option, value) = args[i].IndexOf('=', StringComparison.Ordinal) is var at and >= 0 ? (args[i][..at], args[i][(at + 1)..]) : (args[i], args.ElementAtOrDefault(i + 1));
            if (Options.Contains(option, StringComparer.OrdinalIgnoreCase)) return value;
        }

        return null;
    }
}
