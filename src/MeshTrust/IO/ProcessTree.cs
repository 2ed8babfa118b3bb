using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace MeshTrust.IO;

/// <summary>A process and all its descendants, identified by id and start time: an id alone may have been reused.</summary>
/// <remarks>
/// Processes that detached earlier are no longer descendants. They are left alone on purpose, as the daemons of Podman's containers are.
/// </remarks>
internal sealed class ProcessTree(int root)
{
    private const int SignalTerminate = 15;
    private const int SignalKill = 9;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(40);

    // Those seen so far: when a parent exits, its child belongs to init and could no longer be found.
    private readonly Dictionary<int, string> _seen = [];

    /// <summary>When a process started, in the system's unit; null if it does not exist or may not be seen.</summary>
    public static string? BirthOf(int id)
    {
        try
        {
            if (OperatingSystem.IsLinux()) return ReadStat(File.ReadAllText($"/proc/{id}/stat"))?.Birth;
            using var process = Process.GetProcessById(id);
            return process.HasExited ? null : process.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception || DiskFault.IsOne(e))
        {
            return null;
        }
    }

    /// <summary>Sends SIGTERM, and SIGKILL to what is left after the grace period. It never throws.</summary>
    public async Task EndAsync(TimeSpan grace)
    {
        var begun = TimeProvider.System.GetTimestamp();
        Signal(Look(), SignalTerminate);
        while (Look().Count > 0 && TimeProvider.System.GetElapsedTime(begun) < grace) await Task.Delay(Step).ConfigureAwait(false);

        // A killed process may just have started a child: two scans in a row must find nothing.
        for (var attempt = 0; attempt < 25 && Look() is { Count: > 0 } left; attempt++)
        {
            Signal(left, SignalKill);
            await Task.Delay(Step).ConfigureAwait(false);
        }
    }

    /// <summary>Reads lines of <c>ps -A -o pid=,ppid=,stat=,lstart=</c>; other lines are skipped.</summary>
    internal static IEnumerable<(int Id, int Parent, string Birth)> ReadTable(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            var fields = line.Split(' ', 4, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (fields.Length == 4 && Number(fields[0], out var id) && Number(fields[1], out var parent) && !fields[2].StartsWith('Z'))
                yield return (id, parent, fields[3]);
        }
    }

    /// <summary>Reads <c>/proc/ID/stat</c>; null for a dead process.</summary>
    internal static (int Id, int Parent, string Birth)? ReadStat(string text)
    {
        // The name in parentheses may contain anything; after it, field 1 is the state, 2 the parent, 20 the start time.
        var fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 19 && fields[0] is not ("Z" or "X")
            && Number(text.Split(' ')[0], out var id) && Number(fields[1], out var parent)
            ? (id, parent, fields[19])
            : null;
    }

    private List<int> Look()
    {
        var alive = OperatingSystem.IsLinux() ? [.. ReadProc()] : ReadTable(AskPs()).ToList();
        if (_seen.Count == 0 && alive.FirstOrDefault(process => process.Id == root) is { Id: > 0 } first) _seen[first.Id] = first.Birth;
        bool grown;
        do
        {
            var children = alive.Where(process => _seen.ContainsKey(process.Parent) && !_seen.ContainsKey(process.Id)).ToList();
            foreach (var child in children) _seen[child.Id] = child.Birth;
            grown = children.Count > 0;
        }
        while (grown);

        return [.. alive.Where(process => _seen.GetValueOrDefault(process.Id) == process.Birth).Select(process => process.Id)];
    }

    private static IEnumerable<(int Id, int Parent, string Birth)> ReadProc()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            (int, int, string)? process = null;
            try
            {
                process = ReadStat(File.ReadAllText(directory + "/stat"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It exited meanwhile.
            }

            if (process is { } found) yield return found;
        }
    }

    private static string AskPs()
    {
        string[] arguments = ["-A", "-o", "pid=,ppid=,stat=,lstart="];
        var start = new ProcessStartInfo("/bin/ps", arguments) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment["LC_ALL"] = "C";
        using var ps = Process.Start(start)!;
        return ps.StandardOutput.ReadToEnd();
    }

    private static void Signal(List<int> processes, int signal) => processes.ForEach(id => _ = Send(id, signal));

    private static bool Number(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    [DllImport("libc", EntryPoint = "kill", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Send(int process, int signal);
}
