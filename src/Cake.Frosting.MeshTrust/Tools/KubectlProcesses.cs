using Cake.Core.IO;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Starts the one program of an alias in our own way: its standard error is heard, and a token ends it with its children. An alias waits without either.</summary>
internal sealed class KubectlProcesses(string command, CancellationToken cancellationToken) : IProcessRunner, IDisposable
{
    private ToolProcess? _process;

    /// <summary>What the program said until it ended; null where the alias started none.</summary>
    internal ToolResult? Result { get; private set; }

    /// <inheritdoc/>
    public IProcess Start(FilePath filePath, ProcessSettings settings)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _process = (ToolProcess)ToolProcesses.Instance.Start(filePath, settings);
        return new Awaited(this, _process);
    }

    /// <inheritdoc/>
    public void Dispose() => _process?.Dispose();

    private sealed class Awaited(KubectlProcesses processes, ToolProcess process) : IProcess
    {
        public void WaitForExit() => processes.Result ??= process
            .RunToEndAsync(processes.Command, input: null, Timeout.InfiniteTimeSpan, TimeProvider.System, processes.Token)
            .GetAwaiter().GetResult();

        public bool WaitForExit(int milliseconds)
        {
            WaitForExit();
            return true;
        }

        public int GetExitCode() => processes.Result?.ExitCode ?? process.GetExitCode();

        public IEnumerable<string> GetStandardOutput() => process.GetStandardOutput();

        public IEnumerable<string> GetStandardError() => process.GetStandardError();

        public void Kill() => process.Kill();

        public void Dispose() => processes.Dispose();
    }

    private string Command => command;

    private CancellationToken Token => cancellationToken;
}
