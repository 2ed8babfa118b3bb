namespace MeshTrust.IO;

/// <summary>A lock for one process at a time. The system releases it when a process dies, so none is ever stale; the file stays.</summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Takes the lock; null if another process holds it. Throws what the file system throws.</summary>
    public static FileLock? TryTake(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, BufferSize = 0 };
        options.Share = FileShare.None;
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            return new FileLock(new FileStream(path, options));
        }
        catch (IOException fault) when (DiskFault.IsTaken(fault))
        {
            return null;
        }
    }

    /// <summary>Takes the lock, and waits while another process holds it: <paramref name="waiting"/> is then called, once.</summary>
    public static Task<FileLock> TakeAsync(
        string path, TimeSpan limit, Func<Exception> late, TimeProvider time, CancellationToken cancellationToken,
        Action? waiting = null) =>
        Wait.UntilAsync(
            _ =>
            {
                var taken = TryTake(path);
                if (taken is null) Interlocked.Exchange(ref waiting, null)?.Invoke();
                return Task.FromResult(taken);
            },
            limit, Pause, late, time, cancellationToken);

    /// <summary>Whether a process currently holds the lock. False if that is unknown.</summary>
    public static bool IsHeld(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException fault)
        {
            return DiskFault.IsTaken(fault);
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    public void Dispose() => _file.Dispose();
}
