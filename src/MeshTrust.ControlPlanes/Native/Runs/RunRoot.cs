using MeshTrust.ControlPlanes.State;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native.Runs;

/// <summary>Where run directories go: a short path, since a Unix socket's may have no more than 107 bytes, and in memory where that helps.</summary>
internal static class RunRoot
{
    private const string SharedMemory = "/dev/shm";
    private const long ForOnePlane = 256L << 20;

    /// <param name="asked">The directory that the user named; null for none.</param>
    /// <param name="planes">How many etcd keep their data there.</param>
    /// <param name="inMemory">Whether memory helps: etcd that cannot leave out fsync.</param>
    /// <exception cref="MeshTrustException">MT1001 to MT1004.</exception>
    public static string Choose(string? asked, int planes, bool inMemory)
    {
        var path = asked is not null ? Path.GetFullPath(asked) : Path.Combine(inMemory && HasRoomInMemory(planes) ? SharedMemory : Path.GetTempPath(), $"meshtrust-{Environment.UserName}");
        try
        {
            if (asked is not null) Directory.CreateDirectory(path);
            else PrivateFile.CreateDirectory(path);
            if (asked is null && new DirectoryInfo(path).LinkTarget is not null) throw new UnauthorizedAccessException();
            return path;
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            // Somebody else took the name; a name that nobody can guess is as good, only the sweep does not find it.
            if (asked is null) return Directory.CreateTempSubdirectory("meshtrust-").FullName;
            throw DiskFault.From(Stage.ClusterCreation, path, e);
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
}
