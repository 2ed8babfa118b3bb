using System.ComponentModel;
using Cake.Core;
using Cake.Core.IO;
using Cake.Core.Tooling;
using MeshTrust;
using MeshTrust.IO;
using ProcessRunner = MeshTrust.IO.ProcessRunner;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>What Cake provides to tools: where programs are found, and their environment variables.</summary>
internal sealed record ToolHost(IFileSystem FileSystem, ICakeEnvironment Environment, IToolLocator Tools, TimeProvider Time);

/// <summary>
/// A program exited with a code other than 0: the inner exception, for callers that can interpret its output.
/// </summary>
internal sealed class ToolFailedException(ProcessResult result) : Exception($"A program exited with {result}.")
{
    public ProcessResult Result { get; } = result;
}

/// <summary>
/// A program that Cake finds: registered by the build, in the tools folder or on the PATH. It runs to its end; at a deadline, or when the
/// run is cancelled, it is stopped with all its children. Cake's own tool runner has neither (docs/decisions.md).
/// </summary>
internal abstract class Tool(ToolHost host, string name)
{
    protected static readonly TimeSpan Short = TimeSpan.FromSeconds(30);
    private const int MostOutput = 32 << 20;
    private const int MostShown = 160;
    private const int LinesShown = 12;
    private static readonly string Nowhere = OperatingSystem.IsWindows() ? "NUL" : "/dev/null";

    // Each search scans the tools folder: once is enough.
    private FilePath? _path;

    /// <summary>Whether the program is installed. It is not started.</summary>
    public bool IsThere => (_path ??= host.Tools.Resolve([name, name + ".exe"])) is not null;
    public string Name => name;
    protected ToolHost Host => host;

    /// <summary>
    /// Variables on top of Cake's. <c>KUBECONFIG</c> is the null device unless it is set here: no tool touches the user's.
    /// </summary>
    protected virtual IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>();

    /// <summary>The standard output of a call that succeeds.</summary>
    /// <exception cref="MeshTrustException">
    /// As <see cref="RunAsync"/>; MT2210 or <see cref="FaultOf"/>, with <see cref="ToolFailedException"/> inside.
    /// </exception>
    protected async Task<string> AskAsync(
        IReadOnlyList<string> arguments, TimeSpan limit, CancellationToken cancellationToken, Action<string>? onErrorLine = null)
    {
        var result = await RunAsync(arguments, limit, cancellationToken, onErrorLine: onErrorLine).ConfigureAwait(false);
        return result.ExitCode == 0 ? result.Output : throw Failed(arguments, result);
    }

    /// <summary>Runs it to its end, whatever its exit code.</summary>
    /// <exception cref="MeshTrustException">
    /// MT2207 not found; MT2208 cannot start; MT2209 the limit is over; MT2211 too much output.
    /// </exception>
    protected async Task<ProcessResult> RunAsync(IReadOnlyList<string> arguments, TimeSpan limit, CancellationToken cancellationToken,
        string? input = null,
        Action<string>? onErrorLine = null)
    {
        if (!IsThere)
        {
            throw Fault("MT2207", name, $"'{name}' is neither on the PATH nor in the tools folder.",
                "Install it, or add its folder to the PATH.");
        }

        var request = new ProcessRequest(_path!.FullPath, arguments)
        {
            Directory = host.Environment.WorkingDirectory.FullPath,
            Environment = SetVariables,
            Input = input,
            MostOutput = MostOutput,
            OnErrorLine = onErrorLine,
        };
        try
        {
            return await ProcessRunner.RunAsync(request, limit, host.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (Win32Exception e)
        {
            throw Fault("MT2208", request.Program, $"'{name}' cannot be started: {e.Message.TrimEnd('.')}.",
                "Make it executable, or install the build for this machine.", e);
        }
        catch (TimeoutException e)
        {
            throw Fault("MT2209", Command(arguments),
                $"It did not finish within {Text.Limit(limit)} and was stopped with all its children.",
                "Check whether the machine or the container engine is overloaded or hangs, and run again.", e);
        }
        catch (InvalidDataException e)
        {
            throw Fault("MT2211", Command(arguments), $"It printed more than {MostOutput >> 20} MiB and was stopped.",
                "Run the command manually and check its output.", e);
        }
    }

    protected MeshTrustException Failed(IReadOnlyList<string> arguments, ProcessResult result)
    {
        var said = Text.LastLines(string.IsNullOrWhiteSpace(result.Error) ? result.Output : result.Error, LinesShown);
        var problem = FaultOf(result.Error) ?? new Problem("MT2210", Command(arguments),
            $"It exited with {result}: {Text.Sentence(said.Length == 0 ? "no output" : said)}", "Fix what it reports, and run again.");
        return new MeshTrustException(Stage.ClusterCreation, problem, new ToolFailedException(result));
    }

    /// <summary>The problem that standard error of a failed call shows; null if unknown.</summary>
    protected virtual Problem? FaultOf(string error) => null;

    private void SetVariables(IDictionary<string, string?> variables)
    {
        foreach (var (variable, value) in host.Environment.GetEnvironmentVariables() ?? new Dictionary<string, string?>())
            variables[variable] = value ?? "";
        variables["KUBECONFIG"] = Nowhere;
        variables["NO_COLOR"] = "1";
        foreach (var (variable, value) in Variables) variables[variable] = value;
    }

    private string Command(IReadOnlyList<string> arguments)
    {
        var text = Text.OneLine(string.Join(' ', arguments.Prepend(name)));
        return text.Length <= MostShown ? text : text[..MostShown] + "...";
    }

    private static MeshTrustException Fault(string id, string location, string message, string hint, Exception? inner = null) =>
        new(Stage.ClusterCreation, new Problem(id, location, message, hint), inner);
}
