using System.Net.Sockets;

namespace MeshTrust.IO;

/// <summary>A fault of the disk in words: which path, what happened, what to do. Ids MT1001 to MT1005.</summary>
internal static class DiskFault
{
    // The errno of Linux and macOS, which .NET puts into HResult as it is; Windows has its own numbers.
    private static readonly HashSet<int> Full = [28, 122, 69, unchecked((int)0x80070070), unchecked((int)0x80070027)];
    private const int ReadOnlyFileSystem = 30;
    private const string MoveAway = "Move it away, or choose another directory.";

    // EWOULDBLOCK of Linux and of macOS, and the sharing violation of Windows.
    private static readonly HashSet<int> Taken = [11, 35, unchecked((int)0x80070020)];

    /// <summary>
    /// Whether an exception is one that a disk gives. A connection that breaks gives the same type, with the socket's fault inside: that is
    /// none.
    /// </summary>
    public static bool IsOne(Exception fault) =>
        fault is IOException { InnerException: not SocketException } and not HttpIOException or UnauthorizedAccessException;

    /// <summary>Whether an exception says that another process holds the file.</summary>
    public static bool IsTaken(Exception fault) => fault is IOException { HResult: var result } && Taken.Contains(result);

    /// <summary>The fault for what a file operation threw.</summary>
    /// <param name="stage">The part of the run that met it, and with it the exit code.</param>
    /// <param name="path">The file or directory.</param>
    /// <param name="fault">What was thrown.</param>
    public static MeshTrustException From(Stage stage, string path, Exception fault)
    {
        var (id, location, message, hint) = fault switch
        {
            IOException when Full.Contains(fault.HResult) => (
                "MT1001", path, "The disk is full or the quota is used up.", "Make room and run again: nothing that was there is lost."),
            UnauthorizedAccessException when Directory.Exists(path) => (
                "MT1002", path, "The directory cannot be read or written by this user, or it stands where a file should be.",
                "Give this user the right to it, move it away, or choose another directory."),
            UnauthorizedAccessException => (
                "MT1002", path, "This user may not read or write it.",
                "Give this user the right to it and to its directory, or choose another directory."),
            IOException when fault.HResult == ReadOnlyFileSystem => (
                "MT1002", path, "The file system is read-only.", "Choose a directory that can be written."),
            _ when FileAbove(path) is { } file => ("MT1003", file, "A file stands where a directory should be.", MoveAway),
            _ => (
                "MT1004", path, $"The disk gave a fault: {fault.Message.TrimEnd('.')}.",
                "Mend it and run again: nothing that was there is lost."),
        };
        return new MeshTrustException(stage, new Problem(id, location, message, hint), fault);
    }

    /// <summary>Something else stands where a file or a directory should be.</summary>
    public static Problem WrongKind(string path, string what) => new("MT1003", path, what, MoveAway);

    private static string? FileAbove(string path)
    {
        for (var parent = path; !string.IsNullOrEmpty(parent); parent = Path.GetDirectoryName(parent))
        {
            if (File.Exists(parent)) return parent;
        }

        return null;
    }
}
