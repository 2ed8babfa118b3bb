using MeshTrust.Settings;
using Spectre.Console;

namespace Cake.Frosting.MeshTrust;

/// <summary>Where the result goes. With <c>--output=json</c> standard output has only the report; all logs go to standard error.</summary>
internal sealed class StandardOutput : IDisposable
{
    private readonly TextWriter? _before;

    private StandardOutput(bool reportOnly)
    {
        Report = Console.Out;
        if (!reportOnly) return;
        _before = Console.Out;
        Console.SetOut(Console.Error);
    }

    public TextWriter Report { get; }

    public static StandardOutput AsItIs() => new(reportOnly: false);

    /// <summary>Reads <c>--output=json</c> from the command line, before Cake writes its first line.</summary>
    public static StandardOutput For(IReadOnlyList<string> args) =>
        new(reportOnly: CakeCommandLine.Values(args, "--output").Contains("json", StringComparer.OrdinalIgnoreCase));

    /// <summary>A console over <see cref="Report"/>, for tables.</summary>
    public IAnsiConsole AsConsole(ColorChoice color) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = color switch { ColorChoice.Always => AnsiSupport.Yes, ColorChoice.Never => AnsiSupport.No, _ => AnsiSupport.Detect },
        Out = new AnsiConsoleOutput(Report),
    });

    public void Dispose()
    {
        if (_before is not null) Console.SetOut(_before);
    }
}

/// <summary><c>--color</c> for what Cake itself writes: it colours pipes as well where TERM is set, unless NO_COLOR is.</summary>
internal static class ColorArgument
{
    /// <summary>Sets NO_COLOR with --color=never, or if standard output is neither a terminal nor a pipeline with colour.</summary>
    public static void Apply(IReadOnlyList<string> args)
    {
        var choice = CakeCommandLine.Values(args, "--color").LastOrDefault()?.ToLowerInvariant();
        if (choice is "always") return;
        if (choice is "never" || (Console.IsOutputRedirected && !IsSet("GITHUB_ACTIONS") && !IsSet("TF_BUILD") && !IsSet("GITLAB_CI")))
            Environment.SetEnvironmentVariable("NO_COLOR", "1");
    }

    private static bool IsSet(string variable) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));
}
