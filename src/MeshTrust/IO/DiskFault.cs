using System.Net.Sockets;

namespace MeshTrust.IO;

/// <summary>A fault of the disk in words: which path, what happened, what to do. Ids MT1001 to MT1005.</summary>
public static class DiskFault
{
    // The errno of Linux and macOS, which .NET puts into HResult as it is; Windows has its own numbers.
    private static readonly HashSet<int> Full = [28, 122, 69, unchecked((int)0x80070070), unchecked((int)0x80070027)];
    private const int ReadOnlyFileSystem = 30;

    // EWOULDBLOCK of Linux and of macOS, and the sharing violation of Windows.
    private static readonly HashSet<int> Taken = [11, 35, unchecked((int)0x80070020)];

    /// <summary>Whether an exception is one that a disk gives. A connection that breaks gives the same type, with the socket's fault inside: that is none.</summary>
    public static bool IsOne(Exception fault) => fault is IOException { InnerException: not SocketException } and not HttpIOException or UnauthorizedAccessException;

    /// <summary>Whether an exception says that another process holds the file.</summary>
    public static bool IsTaken(Exception fault) => fault is IOException { HResult: var result } && Taken.Contains(result);

    /// <summary>The fault for what a file operation threw.</summary>
    /// <param name="stage">The part of the run that met it, and with it the exit code.</param>
    /// <param name="path">The file or directory.</param>
    /// <param name="fault">What was thrown.</param>
    public static MeshTrustException From(Stage stage, string path, Exception fault)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(fault);
        var problem = fault switch
        {
            IOException when Full.Contains(fault.HResult) => New("MT1001", path, "The disk is full or the quota is used up.", "Make room and run again: nothing that was there is lost."),
            UnauthorizedAccessException when Directory.Exists(path) => New("MT1002", path, "The directory cannot be read or written by this user, or it stands where a file should be.", "Give this user the right to it, move it away, or choose another directory."),
            UnauthorizedAccessException => New("MT1002", path, "This user may not read or write it.", "Give this user the right to it and to its directory, or choose another directory."),
            IOException when fault.HResult == ReadOnlyFileSystem => New("MT1002", path, "The file system is read-only.", "Choose a directory that can be written."),
            _ when ParentThatIsNoDirectory(path) is { } file => WrongKind(file, "A file stands where a directory should be."),
            _ => New("MT1004", path, $"The disk gave a fault: {fault.Message.TrimEnd('.')}.", "Mend it and run again: nothing that was there is lost."),
        };
        return new MeshTrustException(stage, problem, fault);
    }

    /// <summary>Something else stands where a file or a directory should be.</summary>
    public static Problem WrongKind(string path, string what) => New("MT1003", path, what, "Move it away, or choose another directory.");

    private static string? ParentThatIsNoDirectory(string path)
    {
        for (var parent = path; !string.IsNullOrEmpty(parent); parent = Path.GetDirectoryName(parent))
        {
            if (File.Exists(parent)) return parent;
        }

        return null;
    }

    private static Problem New(string id, string place, string what, string remedy) => new(id, place, what, remedy);
}
