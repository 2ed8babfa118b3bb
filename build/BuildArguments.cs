using Cake.Core;

namespace Build;

/// <summary>The arguments of this repository's own tasks.</summary>
public static class BuildArguments
{
    /// <summary>Their names, without dashes: no other argument is accepted.</summary>
    public static IReadOnlyList<string> Names { get; } = ["configuration", "filter"];

    /// <summary><c>--configuration</c>: Release unless said otherwise.</summary>
    public static string Configuration(ICakeContext context) => Last(context, "configuration") ?? "Release";

    /// <summary><c>--filter</c>: an expression of the test platform, or a benchmark's name; null for all.</summary>
    public static string? Filter(ICakeContext context) => Last(context, "filter");

    private static string? Last(ICakeContext context, string name) => context.Arguments.GetArguments(name)?.LastOrDefault();
}
