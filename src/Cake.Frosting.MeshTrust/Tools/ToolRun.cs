using Cake.Core.Tooling;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>
/// A program that Cake finds and that we run to its end: with a deadline and a token, on either of which it is ended with all its children.
/// </summary>
/// <typeparam name="TSettings">Its settings.</typeparam>
public abstract class ToolRun<TSettings> : Tool<TSettings>
    where TSettings : ToolSettings
{
    private readonly ToolHost _host;

    /// <summary>A tool of a host.</summary>
    protected ToolRun(ToolHost host, TSettings settings)
        : base(host?.FileSystem, host?.Environment, new ToolProcesses(host!), host?.Tools)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _host = host!;
        Settings = settings;
    }

    /// <summary>Its settings; <c>ToolPath</c> names the program where Cake shall not look for it.</summary>
    public TSettings Settings { get; }

    /// <summary>Whether the program is there. It is not started.</summary>
    public bool IsThere => throw new NotImplementedException();

    /// <summary>Runs it to its end, whatever its exit code.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2207: it is not there. MT2208: it cannot be started. MT2209: its deadline is over. MT2211: it says too much.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; the program and its children have been ended.</exception>
    protected Task<ToolResult> RunAsync(ToolCall call, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>As <see cref="RunAsync"/>, where only exit code 0 will do.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2210, or what <see cref="FaultOf"/> makes of it: another exit code; <see cref="ToolFailedException"/> within.</exception>
    protected Task<ToolResult> RequireAsync(ToolCall call, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What is known about an exit code and what was said with it; null for no more than that.</summary>
    protected virtual global::MeshTrust.Problem? FaultOf(ToolCall asked, ToolResult result) => null;
}
