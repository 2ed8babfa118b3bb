using MeshTrust.IO;

namespace MeshTrust.Pki;

/// <summary>The right to write into a store, for one process at a time. The system gives it back when a process dies, so there is no stale lock.</summary>
internal sealed class TrustStoreLock : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly FileStream? _file;

    private TrustStoreLock(FileStream? file) => _file = file;

    /// <summary>False where the directory cannot be written: then nobody can write, and reading needs no lock.</summary>
    internal bool MayWrite => _file is not null;

    /// <summary>Takes the lock, waiting for another process up to the deadline.</summary>
    /// <exception cref="MeshTrustException">MT1005 after the deadline; MT1001 to MT1004 for the disk.</exception>
    internal static async Task<TrustStoreLock> TakeAsync(string path, TimeSpan deadline, TimeProvider time, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return new TrustStoreLock(Open(path));
            }
            catch (IOException busy) when (DiskFault.IsTaken(busy))
            {
                if (time.GetElapsedTime(start) > deadline) throw Busy(path, deadline, busy);
            }
            catch (Exception fault) when (fault is UnauthorizedAccessException && !Directory.Exists(path) && Directory.Exists(Path.GetDirectoryName(path)))
            {
                return new TrustStoreLock(null);
            }
            catch (IOException readOnly) when (readOnly.HResult == 30)
            {
                return new TrustStoreLock(null);
            }
            catch (Exception fault) when (DiskFault.IsOne(fault))
            {
                throw DiskFault.From(Stage.CertificateAuthority, path, fault);
            }

            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether somebody is writing at this moment.</summary>
    internal static bool IsTaken(string path)
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

    public void Dispose() => _file?.Dispose();

    private static FileStream Open(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = StoreFile.KeyMode;
        return new FileStream(path, options);
    }

    private static MeshTrustException Busy(string path, TimeSpan deadline, Exception inner) => new(
        Stage.CertificateAuthority,
        new Problem("MT1005", path,
            $"Waited {deadline.TotalSeconds:0} s for another process, which is writing CA material into this directory.",
            "Let it end, or stop it, and run again."),
        inner);
}
