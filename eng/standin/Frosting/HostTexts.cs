using System.Reflection;
using System.Runtime.InteropServices;
using Cake.Core;

namespace Cake.Frosting;

/// <summary>What the host itself writes.</summary>
internal static class HostTexts
{
    private static string Product
    {
        get
        {
            var core = typeof(ICakeContext).Assembly.GetName().Version;
            return $"{core?.ToString(3)} ({Assembly.GetExecutingAssembly().GetName().Name}, a stand-in for Cake.Frosting over Cake.Core)";
        }
    }

    public static void WriteVersion(IConsole console, bool all)
    {
        Write(console, Product);
        if (all)
        {
            Write(console, $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}");
        }
    }

    public static void WriteHelp(IConsole console) => Write(console, """
        USAGE:
            [OPTIONS] [--name=value ...]

        OPTIONS:
            -h, -?, --help     Prints help information
            -t, --target       The target to run; repeat it for several (default: Default)
            -e, --exclusive    Runs the target without its dependencies
                --dryrun       Says what would run, but runs no task (or --noop, --whatif)
                --tree         Shows the tasks as a tree (or --showtree)
                --description  Shows the tasks and what they do (or --descriptions, --showdescription, --showdescriptions)
            -v, --verbosity    quiet, minimal, normal, verbose or diagnostic
            -w, --working      The working directory
                --version      Shows the version (or --ver)
                --info         Shows the version and the platform

        Every other option is an argument for the build.
        """);

    public static void WriteDescriptions(IConsole console, IReadOnlyList<ICakeTaskInfo> tasks)
    {
        var width = tasks.Select(task => task.Name.Length).Append("Task".Length).Max();
        Write(console, "");
        Write(console, $"{"Task".PadRight(width)}  Description");
        Write(console, new string('=', width + 2 + 40));
        foreach (var task in tasks)
        {
            Write(console, $"{task.Name.PadRight(width)}  {task.Description}".TrimEnd());
        }
    }

    private static void Write(IConsole console, string line) => console.WriteLine("{0}", line);
}
