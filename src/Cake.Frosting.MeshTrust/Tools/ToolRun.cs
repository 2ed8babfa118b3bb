using System.ComponentModel;
using Cake.Core;
using Cake.Core.IO;
using Cake.Core.Tooling;
using MeshTrust;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>
/// A program that Cake finds and that we run to its end: with a deadline and a token, on either of which it is ended with all its children.
/// </summary>
/// <remarks>Cake's own way waits without either and ends the program alone: see docs/decisions.md.</remarks>
/// <typeparam name="TSettings">Its settings.</typeparam>
internal abstract class ToolRun<TSettings> : Tool<TSettings>
    where TSettings : ToolSettings
{
    private static readonly string Nowhere = OperatingSystem.IsWindows() ? "NUL" : "/dev/null";

    private readonly ToolHost _host;

    /// <summary>A tool of a host.</summary>
    protected ToolRun(ToolHost host, TSettings settings)
        : base(host?.FileSystem, host?.Environment, ToolProcesses.Instance, host?.Tools)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _host = host!;
        Settings = settings;
    }

    /// <summary>Its settings; <c>ToolPath</c> names the program, and is set to the one that Cake found where it names none.</summary>
    public TSettings Settings { get; }

    /// <summary>Whether the program is there. It is not started.</summary>
    public bool IsThere
    {
        get
        {
            // A search goes through the tools folder each time: once is enough.
            Settings.ToolPath ??= GetToolExecutableNames(Settings).Select(_host.Tools.Resolve).FirstOrDefault(path => path is not null);
            return Settings.ToolPath is { } path && _host.FileSystem.Exist(path.MakeAbsolute(_host.Environment));
        }
    }

    /// <summary>Runs it to its end, whatever its exit code.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2207: it is not there. MT2208: it cannot be started. MT2209: its deadline is over. MT2211: it says too much.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; the program and its children have been ended.</exception>
    protected async Task<ToolResult> RunAsync(ToolCall call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        cancellationToken.ThrowIfCancellationRequested();
        using var process = Start(call);
        var deadline = Settings.ToolTimeout ?? call.Deadline;
        return await process.RunToEndAsync(Command(call), call.Input, deadline, _host.Time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="RunAsync"/>, where only exit code 0 will do.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2210, or what <see cref="FaultOf"/> makes of it: another exit code; <see cref="ToolFailedException"/> within.</exception>
    protected async Task<ToolResult> RequireAsync(ToolCall call, CancellationToken cancellationToken)
    {
        var result = await RunAsync(call, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0 ? result : throw Fault(call, result);
    }

    /// <summary>The fault for a result that will not do.</summary>
    protected MeshTrustException Fault(ToolCall call, ToolResult result)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(result);
        return FaultOf(call, result) is { } known ? ToolFault.Of(known, new ToolFailedException(result)) : ToolFault.Ended(Command(call), result);
    }

    /// <summary>What is known about an exit code and what was said with it; null for no more than that.</summary>
    protected virtual Problem? FaultOf(ToolCall asked, ToolResult result) => null;

    private string Command(ToolCall call) => ToolFault.Command(GetToolName(), call.Arguments);

    private ToolProcess Start(ToolCall call)
    {
        if (!IsThere) throw ToolFault.Missing(GetToolName());
        var arguments = new ProcessArgumentBuilder();
        foreach (var argument in call.Arguments) arguments.Append(new ExactArgument(argument));
        var process = new ProcessSettings { RedirectStandardOutput = true, RedirectStandardError = true, EnvironmentVariables = Variables(call) };
        if (call.OnErrorLine is { } tell) process.RedirectedStandardErrorHandler = line => Tell(tell, line);
        try
        {
            return (ToolProcess)RunProcess(Settings, arguments, process);
        }
        catch (Exception e) when (e is Win32Exception or CakeException)
        {
            throw ToolFault.NotStarted(GetToolName(), Settings.ToolPath!.FullPath, e);
        }
    }

    private Dictionary<string, string> Variables(ToolCall call)
    {
        var variables = new Dictionary<string, string>(OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        foreach (var (name, value) in _host.Environment.GetEnvironmentVariables() ?? new Dictionary<string, string?>()) variables[name] = value ?? "";
        variables["KUBECONFIG"] = Nowhere;
        variables["NO_COLOR"] = "1";
        foreach (var (name, value) in Settings.EnvironmentVariables ?? new Dictionary<string, string>()) variables[name] = value;
        foreach (var (name, value) in call.Environment) variables[name] = value;
        return variables;
    }

    private static string Tell(Action<string> tell, string line)
    {
        tell(line);
        return line;
    }
}
