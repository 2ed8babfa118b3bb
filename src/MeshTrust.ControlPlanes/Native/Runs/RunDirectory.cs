using System.Security.Cryptography;
using MeshTrust.ControlPlanes.Native.Processes;
using MeshTrust.ControlPlanes.State;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native.Runs;

/// <summary>
/// The directory of one set of control planes (0700): one directory a plane, and the record of who owns it. The logs stand beside it, so that
/// those of a failed start are still there when the directory is gone.
/// </summary>
internal sealed class RunDirectory
{
    public const string Prefix = "run-";
    public const string LogPrefix = "log-";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly IProcessGuard _guard;
    private readonly Lock _lock = new();
    private RunRecord _record = RunRecord.Ours();

    private RunDirectory(string root, string name, IProcessGuard guard)
    {
        _guard = guard;
        Location = Path.Combine(root, Prefix + name);
        Logs = Path.Combine(root, LogPrefix + name);
    }

    public string Location { get; }

    public string Logs { get; }

    /// <exception cref="MeshTrustException">MT1001 to MT1004.</exception>
    public static RunDirectory Create(string root, IProcessGuard guard)
    {
        var run = new RunDirectory(root, $"{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(6, lowercase: true)}", guard);
        try
        {
            // The guard first: from here on nobody leaves it behind.
            guard.AddDirectory(run.Location);
            PrivateFile.CreateDirectory(run.Location);
            PrivateFile.CreateDirectory(run.Logs);
            run.Save();
            return run;
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            run.Delete(keepLogs: false);
            throw DiskFault.From(Stage.ClusterCreation, run.Location, e);
        }
    }

    /// <summary>The directory of one plane, made.</summary>
    public string ForPlane(string name)
    {
        var path = Path.Combine(Location, name);
        PrivateFile.CreateDirectory(path);
        return path;
    }

    /// <summary>Writes down a child, for the sweep of a later run.</summary>
    public void Record(int child)
    {
        lock (_lock)
        {
            _record = _record with { Children = [.. _record.Children, ProcessRecord.Of(child)] };
            Save();
        }
    }

    /// <summary>Keeps the directory whatever ends this process.</summary>
    public void Keep() => _guard.RemoveDirectory(Location);

    /// <summary>Removes it; never throws, since what cannot be removed now is removed by a later run.</summary>
    public void Delete(bool keepLogs)
    {
        DeleteTree(Location);
        if (!keepLogs) DeleteTree(Logs);
        _guard.RemoveDirectory(Location);
    }

    /// <summary>Windows frees the files of a killed process a moment later.</summary>
    public static bool DeleteTree(string path)
    {
        for (var attempt = 0; attempt < (OperatingSystem.IsWindows() ? 5 : 2); attempt++)
        {
            try
            {
                if (attempt > 0) Thread.Sleep(Pause);
                if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
                return true;
            }
            catch (Exception e) when (DiskFault.IsOne(e))
            {
            }
        }

        return false;
    }

    private void Save() => WholeFile.Replace(Path.Combine(Location, RunRecord.FileName), _record.ToJson(), secret: true);
}
