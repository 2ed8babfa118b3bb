using System.Collections.Concurrent;

namespace MeshTrust.Tests.Live;

/// <summary>Checks continuously whether any file with a private key can be read by others.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
internal sealed class KeyModeWatch : IDisposable
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    private readonly ConcurrentDictionary<string, UnixFileMode> _violations = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;
    private int _looks;

    public KeyModeWatch(string directory)
    {
        _thread = new Thread(() =>
        {
            while (!_stop.IsCancellationRequested)
            {
                Look(directory);
                Thread.Sleep(4);
            }
        }) { IsBackground = true };
        _thread.Start();
    }

    public IEnumerable<string> Violations => _violations.Select(v => $"{v.Key}: {v.Value}");

    /// <summary>The number of complete scans.</summary>
    public int Looks => Volatile.Read(ref _looks);

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
    }

    private void Look(string directory)
    {
        foreach (var file in FilesIn(directory))
        {
            try
            {
                // The mode matters only if the content is a secret: the text is read first, so a file that is still empty is read again.
                if (HoldsKey(file) && (File.GetUnixFileMode(file) & Others) is var mode and not 0) _violations.TryAdd(file, mode);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Files appear and disappear during a scan; the next scan sees the rest.
            }
        }

        Interlocked.Increment(ref _looks);
    }

    private static List<string> FilesIn(string directory)
    {
        try { return [.. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)]; }
        catch (IOException) { return []; }
    }

    private static bool HoldsKey(string file)
    {
        var text = File.ReadAllText(file);
        return text.Contains("PRIVATE KEY", StringComparison.Ordinal)
            || text.Contains("client-key-data", StringComparison.Ordinal)
            // A key inside a Kubernetes object is base64 of its PEM.
            || text.Contains("LS0tLS1CRUdJTiBQUklWQVRFIEtF", StringComparison.Ordinal);
    }
}
