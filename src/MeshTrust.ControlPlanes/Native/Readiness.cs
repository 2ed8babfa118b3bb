using MeshTrust.ControlPlanes.Native.Processes;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>Waits for a process to be ready while it lives.</summary>
internal static class Readiness
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <returns>True when ready; false when the process ended first.</returns>
    /// <exception cref="MeshTrustException">MT2121: it takes too long.</exception>
    public static async Task<bool> WaitAsync(ManagedProcess process, PlanePlan plan, Func<CancellationToken, Task<bool>> isReady, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Ready counts only while the child lives: a stranger may answer in its place.
            if (await isReady(cancellationToken).ConfigureAwait(false) && !process.Exited.IsCompleted) return true;
            if (process.Exited.IsCompleted) return false;
            if (process.Age > plan.Timeout) throw StartFault.TimedOut(process, plan.Timeout, plan.Options.Names.Count);
            await Task.WhenAny(process.Exited, Task.Delay(Pause, cancellationToken)).ConfigureAwait(false);
        }
    }
}
