using Cake.Frosting.MeshTrust;

namespace Build;

/// <summary><c>--color</c> for what Cake itself writes: it colours pipes as well wherever TERM is set, and can be told only by NO_COLOR.</summary>
public static class ColorArgument
{
    /// <summary>Sets NO_COLOR where colour was refused, or where standard output is no terminal and no pipeline that shows colour.</summary>
    public static void Apply(IReadOnlyList<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        var choice = CakeCommandLine.Values(args, "--color").LastOrDefault()?.ToLowerInvariant();
        if (choice is "always") return;
        if (choice is "never" || (Console.IsOutputRedirected && !IsSet("GITHUB_ACTIONS") && !IsSet("TF_BUILD") && !IsSet("GITLAB_CI")))
            Environment.SetEnvironmentVariable("NO_COLOR", "1");
    }

    private static bool IsSet(string variable) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));
}
