using System.Net.Sockets;

namespace MeshTrust.IO;

/// <summary>Describes an I/O error: the path, what happened, how to fix it. Ids MT1001 to MT1005.</summary>
internal static class DiskFault
{
    // The errno of Linux and macOS, which .NET puts into HResult unchanged; Windows has its own numbers.
    private static readonly HashSet<int> Full = [28, 122, 69, unchecked((int)0x80070070), unchecked((int)0x80070027)];
    private const int ReadOnlyFileSystem = 30;
    private const string MoveAway = "Move it away, or choose another directory.";

    // EWOULDBLOCK of Linux and of macOS, and the sharing violation of Windows.
    private static readonly HashSet<int> Taken = [11, 35, unchecked((int)0x80070020)];

    /// <summary>Whether the file system threw it. A dropped connection throws the same type, with a socket error inside.</summary>
    public static bool IsOne(Exception fault) =>
        fault is IOException { InnerException: not SocketException } and not HttpIOException or UnauthorizedAccessException;

    /// <summary>Whether an exception says that another process holds the file.</summary>
    public static bool IsTaken(Exception fault) => fault is IOException { HResult: var result } && Taken.Contains(result);

    /// <summary>Does what may fail, such as removing a leftover: what remains is left to the next run.</summary>
    public static void Ignore(Action work)
    {
        try
        {
            work();
        }
        catch (Exception fault) when (IsOne(fault))
        {
        }
    }

    /// <summary>Does what may fail, and throws <see cref="From"/> if it does.</summary>
    public static void Report(Stage stage, string path, Action work)
    {
        try
        {
            work();
        }
        catch (Exception fault) when (IsOne(fault))
        {
            throw From(stage, path, fault);
        }
    }

    /// <summary>The exception for what a file operation threw; the stage determines the exit code.</summary>
    public static MeshTrustException From(Stage stage, string path, Exception fault)
    {
        var (id, location, message, hint) = fault switch
        {
            IOException when Full.Contains(fault.HResult) => (
                "MT1001", path, "The disk is full or the quota is used up.", "Free up space and rerun; existing files are untouched."),
            UnauthorizedAccessException when Directory.Exists(path) => (
                "MT1002", path, "This user may not read or write this directory, or it is where a file should be.",
                "Give this user permission, move it away, or choose another directory."),
            UnauthorizedAccessException => (
                "MT1002", path, "This user may not read or write it.",
                "Give this user permission for it and its directory, or choose another directory."),
            IOException when fault.HResult == ReadOnlyFileSystem => (
                "MT1002", path, "The file system is read-only.", "Choose a writable directory."),
            _ when FileAbove(path) is { } file => ("MT1003", file, "There is a file where a directory should be.", MoveAway),
            _ => (
                "MT1004", path, $"I/O error: {fault.Message.TrimEnd('.')}.",
                "Fix it and rerun; existing files are untouched."),
        };
        return new MeshTrustException(stage, new Problem(id, location, message, hint), fault);
    }

    /// <summary>Something else is where a file or a directory should be.</summary>
    public static Problem WrongKind(string path, string what) => new("MT1003", path, what, MoveAway);

    private static string? FileAbove(string path)
    {
        for (var parent = path; !string.IsNullOrEmpty(parent); parent = Path.GetDirectoryName(parent))
            if (File.Exists(parent)) return parent;

        return null;
    }
}
