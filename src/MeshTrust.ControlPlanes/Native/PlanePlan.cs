using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.ControlPlanes.Native.Processes;
using MeshTrust.ControlPlanes.Native.Runs;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>Everything that the start of one control plane needs.</summary>
internal sealed record PlanePlan
{
    public required string Name { get; init; }

    public required NativeControlPlanesOptions Options { get; init; }

    public required ControlPlaneBinaries Binaries { get; init; }

    public required RunDirectory Run { get; init; }

    public required IProcessGuard Guard { get; init; }

    /// <summary>The plane's directory in the run, where its processes run.</summary>
    public required string Directory { get; init; }

    /// <summary>What outlives this run; null where nothing does.</summary>
    public PlaneState? State { get; init; }

    public required PlaneIdentity Identity { get; init; }

    public required TimeSpan Timeout { get; init; }

    public int PreferredPort { get; init; }

    public string DataDirectory => State?.DataDirectory ?? Path.Combine(Directory, "etcd");

    /// <summary>Where a process of this plane writes.</summary>
    public string LogFile(string process) => State is not null ? Path.Combine(State.Location, $"{process}.log") : Path.Combine(Run.Logs, $"{Name}-{process}.log");

    /// <summary>Starts a process of this plane and writes it down.</summary>
    /// <exception cref="MeshTrustException">MT2123: it cannot be run.</exception>
    public async Task<ManagedProcess> StartAsync(string name, string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var plan = new ProcessPlan { Name = name, Plane = Name, Program = program, Arguments = arguments, Directory = Directory, LogFile = LogFile(name) };
        try
        {
            var process = await ManagedProcess.StartAsync(plan, Guard, cancellationToken).ConfigureAwait(false);
            try
            {
                Run.Record(process.Id);
                return process;
            }
            catch
            {
                await process.KillAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw StartFault.NotRun(plan, e);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, Directory, e);
        }
    }
}
