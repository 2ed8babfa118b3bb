using Cake.Core;
using Cake.Core.IO;
using Cake.Frosting.MeshTrust;
using MeshTrust;

namespace Build;

/// <summary>Runs <c>dotnet</c> as a child that ends when the run is cancelled.</summary>
public sealed class DotNetCommand(RunCancellation cancellation)
{
    /// <summary>Runs <c>dotnet</c> with these arguments in the repository's root.</summary>
    /// <param name="context">Cake's context.</param>
    /// <param name="onLine">Takes each line of standard output; null to let the child write for itself.</param>
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
            WorkingDirectory = RepositoryRoot.Path,
            RedirectStandardOutput = onLine is not null,
            RedirectedStandardOutputHandler = onLine is null ? null : line =>
            {
                if (line is not null) onLine(line);
                return line;
            },
        };

        var process = context.ProcessRunner.Start("dotnet", settings) ?? throw new MeshTrustException(Stage.Preflight, new Problem("MT1006", "dotnet",
            "The .NET SDK could not be started.",
            "Put the SDK that global.json asks for on the PATH."));
        using var killed = cancellation.Token.Register(process.Kill);
        process.WaitForExit();
        cancellation.Token.ThrowIfCancellationRequested();
        return process.GetExitCode();
    }

    /// <summary>As <see cref="Run"/>, and a failure unless the child succeeds.</summary>
    /// <exception cref="CakeException">The child's exit code was not 0; its own output says why.</exception>
    public void RunOrFail(ICakeContext context, params string[] arguments)
    {
        if (Run(context, null, arguments) is var code and not 0)
            throw new CakeException($"'dotnet {arguments[0]} {(arguments.Length > 1 ? arguments[1] : "")}' ended with exit code {code}: see its output above.");
    }
}
