using Cake.Core.IO;

namespace Cake.Frosting.MeshTrust.Tools.Kubectl;

/// <summary>Starts programs and ends them when a token is cancelled: Cake itself waits for a program however long that takes.</summary>
internal sealed class EndableProcesses(IProcessRunner processes, CancellationToken cancellationToken) : IProcessRunner, IDisposable
{
    private CancellationTokenRegistration _registration;

    /// <inheritdoc/>
    public IProcess Start(FilePath filePath, ProcessSettings settings)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var process = processes.Start(filePath, settings);
        _registration = cancellationToken.Register(() => End(process));
        return process;
    }

    /// <inheritdoc/>
    public void Dispose() => _registration.Dispose();

    private static void End(IProcess process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself in the same moment.
        }
    }
}
