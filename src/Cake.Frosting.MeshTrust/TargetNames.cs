using System.Reflection;

namespace Cake.Frosting.MeshTrust;

/// <summary>The names of the targets that a build has, and those that a command line names.</summary>
internal static class TargetNames
{
    /// <summary>The names that the tasks of these assemblies carry.</summary>
    internal static IReadOnlyList<string> Of(params IEnumerable<Assembly?> assemblies) =>
        [.. assemblies.OfType<Assembly>().SelectMany(a => a.GetExportedTypes()).Select(t => t.GetCustomAttribute<TaskNameAttribute>()?.Name).OfType<string>()];

    /// <summary>The targets that the command line names.</summary>
    internal static IEnumerable<string> AskedFor(IReadOnlyList<string> args) => CakeCommandLine.Values(args, "--target", "-t");
}
