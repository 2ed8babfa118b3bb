using System.Diagnostics;
using System.Globalization;

namespace MeshTrust.Benchmarks.Processes;

/// <summary>Polls the peak resident memory of a process, because the value is lost when the process ends.</summary>
internal sealed class PeakMemory : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    private readonly int _process;
    private readonly Timer _timer;
    private long _bytes;

    public PeakMemory(int process)
    {
        _process = process;
        _timer = new Timer(_ => Sample(), null, TimeSpan.Zero, Interval);
    }

    /// <summary>Null if nothing could be read.</summary>
    public long? Bytes => Interlocked.Read(ref _bytes) is var bytes and > 0 ? bytes : null;

    public void Dispose() => _timer.Dispose();

    private void Sample()
    {
        if ((OperatingSystem.IsLinux() ? FromProc() : FromProcess()) is { } bytes && bytes > Interlocked.Read(ref _bytes)) Interlocked.Exchange(ref _bytes, bytes);
    }

    private long? FromProc()
    {
        try
        {
            var line = File.ReadLines($"/proc/{_process}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? null : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return null; // It has ended.
        }
    }

    private long? FromProcess()
    {
        try
        {
            using var process = Process.GetProcessById(_process);
            return process.PeakWorkingSet64;
        }
        catch (Exception fault) when (fault is ArgumentException or InvalidOperationException)
        {
            return null; // It has ended.
        }
    }
}
