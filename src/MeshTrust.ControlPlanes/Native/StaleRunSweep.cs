using System.ComponentModel;
using System.Diagnostics;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// Removes what no guard could: runs whose owner is dead, after a power failure or if the guard was killed as well. A process is stopped
/// only if its id, its start time and (on Linux) its working directory are those of the run; never by its name.
/// </summary>
internal static class StaleRunSweep
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan KeepLogs = TimeSpan.FromDays(1);

    /// <summary>Looks at every run below <paramref name="root"/>; it leaves what it may not touch.</summary>
    public static void Sweep(string root, TimeProvider time)
    {
        try
        {
            var now = time.GetUtcNow().UtcDateTime;
            foreach (var run in new DirectoryInfo(root).EnumerateDirectories(RunDirectory.Prefix + "*"))
            {
                if (run.LinkTarget is null && now - run.CreationTimeUtc > Grace) SweepRun(run.FullName, now - run.LastWriteTimeUtc);
            }

            foreach (var logs in new DirectoryInfo(root).EnumerateDirectories(RunDirectory.LogPrefix + "*"))
            {
                var run = Path.Combine(root, RunDirectory.Prefix + logs.Name[RunDirectory.LogPrefix.Length..]);
                if (logs.LinkTarget is null && now - logs.LastWriteTimeUtc > KeepLogs && !Directory.Exists(run))
                    RunDirectory.DeleteTree(logs.FullName);
            }
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            // Another process is sweeping, or the directory belongs to another user: this run does not depend on it.
        }
    }

    private static void SweepRun(string path, TimeSpan untouched)
    {
        var record = RunRecord.Read(path);
        if (record is null)
        {
            // Killed between creating the directory and writing the record, or not created by MeshTrust.
            if (untouched > KeepLogs) RunDirectory.DeleteTree(path);
            return;
        }

        if (record.Host != Environment.MachineName || record.Owner.IsAlive || record.Owner.Birth is null) return;
        foreach (var child in record.Children.Where(c => c.IsAlive && RunsIn(c.Id, path))) Kill(child);
        RunDirectory.DeleteTree(path);
    }

    private static bool RunsIn(int id, string path)
    {
        if (!OperatingSystem.IsLinux()) return true;
        try
        {
            return new DirectoryInfo($"/proc/{id}/cwd").LinkTarget is { } cwd
                && (cwd == path || cwd.StartsWith(path + "/", StringComparison.Ordinal));
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            return false;
        }
    }

    private static void Kill(ProcessRecord child)
    {
        try
        {
            using var process = Process.GetProcessById(child.Id);
            process.Kill();
            process.WaitForExit(TimeSpan.FromSeconds(2));
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception or NotSupportedException)
        {
            // It has exited meanwhile.
        }
    }
}
