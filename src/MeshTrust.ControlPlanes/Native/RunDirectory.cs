using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// The directory of one set of control planes (0700): one directory per plane, and the record of its owner. The logs are next to it, so
/// that those of a failed start remain when the directory is removed.
/// </summary>
internal sealed class RunDirectory(string root, string name)
{
    public const string Prefix = "run-";
    public const string LogPrefix = "log-";
    private const string SharedMemory = "/dev/shm";
    private const long ForOnePlane = 256L << 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private readonly Lock _lock = new();
    private RunRecord _record = new() { Host = Environment.MachineName, Owner = ProcessRecord.Of(Environment.ProcessId) };

    public string Location { get; } = Path.Combine(root, Prefix + name);
    public string Logs { get; } = Path.Combine(root, LogPrefix + name);

    /// <summary>
    /// Where run directories go: a short path, because that of a Unix socket is limited to 107 bytes, and in memory if that helps.
    /// </summary>
    /// <param name="requested">The directory that the user named; null for none.</param>
    /// <param name="planes">How many etcd keep their data there.</param>
    /// <param name="inMemory">Whether memory helps: etcd that cannot skip fsync.</param>
    /// <exception cref="MeshTrustException">MT1001 to MT1004.</exception>
    public static string ChooseRoot(string? requested, int planes, bool inMemory)
    {
        var parent = inMemory && HasRoomInMemory(planes) ? SharedMemory : Path.GetTempPath();
        var path = requested is not null ? Path.GetFullPath(requested) : Path.Combine(parent, $"meshtrust-{Environment.UserName}");
        try
        {
            AtomicFile.CreateDirectory(path, secret: requested is null);
            if (requested is not null) return path;
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return new DirectoryInfo(path).LinkTarget is null ? path : throw new UnauthorizedAccessException();
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            // Another user took the name; an unguessable name works as well, only the sweep does not find it.
            if (requested is null) return Directory.CreateTempSubdirectory("meshtrust-").FullName;
            throw DiskFault.From(Stage.ClusterCreation, path, e);
        }
    }

    /// <exception cref="MeshTrustException">MT1001 to MT1004; MT2128: nothing would reliably remove it.</exception>
    public static RunDirectory Create(string root)
    {
        var run = new RunDirectory(root, $"{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(6, lowercase: true)}");
        try
        {
            // The guard first: from here on it is always cleaned up.
            ProcessGuard.Current.AddDirectory(run.Location);
            AtomicFile.CreatePrivateDirectory(run.Location);
            AtomicFile.CreatePrivateDirectory(run.Logs);
            run.Save();
            return run;
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            run.Delete(keepLogs: false);
            throw DiskFault.From(Stage.ClusterCreation, run.Location, e);
        }
    }

    public string ForPlane(string name)
    {
        var path = Path.Combine(Location, name);
        AtomicFile.CreatePrivateDirectory(path);
        return path;
    }

    /// <summary>Records a child, for the sweep of a later run.</summary>
    public void Record(int child)
    {
        lock (_lock)
        {
            _record = _record with { Children = [.. _record.Children, ProcessRecord.Of(child)] };
            Save();
        }
    }

    /// <summary>Keeps the directory whatever ends this process.</summary>
    public void Keep() => ProcessGuard.Current.RemoveDirectory(Location);

    /// <summary>Removes it; never throws, because a later run removes what remains.</summary>
    public void Delete(bool keepLogs)
    {
        DeleteTree(Location);
        if (!keepLogs) DeleteTree(Logs);
        ProcessGuard.Current.RemoveDirectory(Location);
    }

    /// <summary>Windows releases the files of a killed process with a delay.</summary>
    public static void DeleteTree(string path)
    {
        for (var attempt = 0; attempt < (OperatingSystem.IsWindows() ? 5 : 2); attempt++)
        {
            try
            {
                if (attempt > 0) Thread.Sleep(Pause);
                if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
                return;
            }
            catch (Exception e) when (DiskFault.IsOne(e))
            {
                // The next attempt, or a later run.
            }
        }
    }

    private static bool HasRoomInMemory(int planes)
    {
        try
        {
            if (!OperatingSystem.IsLinux() || !Directory.Exists(SharedMemory)) return false;
            var drive = new DriveInfo(SharedMemory);
            return drive.DriveFormat == "tmpfs" && drive.AvailableFreeSpace >= ForOnePlane * (planes + 1);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            return false;
        }
    }

    private void Save() => AtomicFile.Replace(Path.Combine(Location, RunRecord.FileName), _record.ToJson(), secret: true);
}

/// <summary>The owner of a run directory, and the processes started for it: <c>owner.json</c>.</summary>
internal sealed record RunRecord
{
    public const string FileName = "owner.json";

    public required string Host { get; init; }
    public required ProcessRecord Owner { get; init; }
    public IReadOnlyList<ProcessRecord> Children { get; init; } = [];

    /// <summary>Null if it cannot be read: another program's, or incomplete.</summary>
    public static RunRecord? Read(string directory)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(directory, FileName)), RunRecordContext.Default.RunRecord);
        }
        catch (Exception e) when (e is JsonException || DiskFault.IsOne(e))
        {
            return null;
        }
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, RunRecordContext.Default.RunRecord);
}

/// <summary>One process: its id and start time, which together are unique.</summary>
internal sealed record ProcessRecord(int Id, string? Birth)
{
    public static ProcessRecord Of(int id) => new(id, ProcessTree.BirthOf(id));

    public bool IsAlive => Birth is not null && ProcessTree.BirthOf(Id) == Birth;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RunRecord))]
internal sealed partial class RunRecordContext : JsonSerializerContext;
