using Cake.Core;
using Cake.Core.IO;
using Cake.Frosting.MeshTrust;
using MeshTrust;

namespace Build;

/// <summary>The root of this repository, where its own tasks work. Paths of arguments count from the user's folder.</summary>
public static class RepositoryRoot
{
    private static readonly Lazy<string> Found = new(() => Find(AppContext.BaseDirectory));

    /// <summary>The root that the build program was compiled in.</summary>
    public static string Path => Found.Value;

    /// <summary>A path inside the repository, absolute.</summary>
    public static string At(string path) => System.IO.Path.Combine(Path, path);

    /// <summary>The nearest directory above that holds MeshTrust.slnx.</summary>
    /// <exception cref="CakeException">Not found.</exception>
    public static string Find(string below)
    {
        for (var directory = new DirectoryInfo(below); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(directory.FullName, "MeshTrust.slnx"))) return directory.FullName;
        }

        throw new CakeException($"There is no MeshTrust.slnx above {below}. Run this task with build.sh or build.ps1 of the repository.");
    }
}

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

/// <summary>Runs <c>dotnet</c> as a child that ends when the run is cancelled.</summary>
public sealed class DotNetCommand(MeshSession session)
{
    /// <summary>Where it runs: the repository's root unless set otherwise.</summary>
    public string Folder { get; init; } = RepositoryRoot.Path;

    /// <summary>Runs <c>dotnet</c> with these arguments.</summary>
    /// <param name="context">Cake's context.</param>
    /// <param name="onLine">Receives each line of standard output; null to let the child write directly.</param>
    /// <param name="arguments">The arguments, quoted here where needed.</param>
    /// <exception cref="MeshTrustException">The child could not be started.</exception>
    /// <returns>The child's exit code.</returns>
    public int Run(ICakeContext context, Action<string>? onLine, params IEnumerable<string> arguments)
    {
        var builder = new ProcessArgumentBuilder();
        foreach (var argument in arguments) builder.AppendQuoted(argument);
        var settings = new ProcessSettings
        {
            Arguments = builder,
            WorkingDirectory = Folder,
            RedirectStandardOutput = onLine is not null,
            RedirectedStandardOutputHandler = onLine is null ? null : line =>
            {
                if (line is not null) onLine(line);
                return line;
            },
        };

        var process = context.ProcessRunner.Start("dotnet", settings) ?? throw new MeshTrustException(Stage.Preflight, new Problem(
            "MT1006", "dotnet", "The .NET SDK could not be started.", "Put the SDK that global.json requires on the PATH."));
        using var killed = session.Token.Register(process.Kill);
        process.WaitForExit();
        session.Token.ThrowIfCancellationRequested();
        return process.GetExitCode();
    }

    /// <summary>Like <see cref="Run"/>, but throws unless the child succeeds.</summary>
    /// <exception cref="CakeException">The child's exit code was not 0; its own output says why.</exception>
    public void RunOrFail(ICakeContext context, params string[] arguments)
    {
        if (Run(context, null, arguments) is not (var code and not 0)) return;
        var what = $"dotnet {arguments[0]} {(arguments.Length > 1 ? arguments[1] : "")}";
        throw new CakeException($"'{what}' ended with exit code {code}: see its output above.");
    }
}
