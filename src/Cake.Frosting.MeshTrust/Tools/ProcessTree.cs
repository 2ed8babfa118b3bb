using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>A process of ours and all its descendants. They are known by id and birth: an id alone may be another's by now.</summary>
/// <remarks>
/// What let go of its parent before is no descendant any more, and is left alone on purpose: so do the daemons that hold Podman's containers.
/// </remarks>
internal sealed class ProcessTree(Process root)
{
    private const int SignalTerminate = 15;
    private const int SignalKill = 9;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(40);

    // Those that were seen: a child whose parent ends when it is asked belongs to init then, and could not be found any more.
    private readonly Dictionary<int, string> _seen = [];

    /// <summary>Asks them to end, and kills what is left after the grace. It never throws; where there is no asking, they are killed.</summary>
    public async Task EndAsync(TimeSpan grace, TimeProvider time)
    {
        if (OperatingSystem.IsWindows())
        {
            Kill();
            return;
        }

        var begun = time.GetTimestamp();
        Signal(Look(), SignalTerminate);
        for (var left = Look(); left.Count > 0 && time.GetElapsedTime(begun) < grace; left = Look())
            await Task.Delay(Step, time, CancellationToken.None).ConfigureAwait(false);

        // What is killed may just have made a child: two looks in a row must find nothing.
        for (var attempt = 0; attempt < 25 && Look() is { Count: > 0 } left; attempt++)
        {
            Signal(left, SignalKill);
            await Task.Delay(Step, time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Kills them without asking.</summary>
    public void Kill()
    {
        try
        {
            if (!root.HasExited) root.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It ended meanwhile.
        }
    }

    /// <summary>Reads lines of <c>ps -A -o pid=,ppid=,stat=,lstart=</c>; a line that is none is left out.</summary>
    internal static IEnumerable<(int Id, int Parent, string Birth)> ReadTable(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            var fields = line.Split(' ', 4, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (fields.Length == 4 && Number(fields[0], out var id) && Number(fields[1], out var parent) && !fields[2].StartsWith('Z')) yield return (id, parent, fields[3]);
        }
    }

    /// <summary>Reads <c>/proc/ID/stat</c>; null for a dead one.</summary>
    internal static (int Id, int Parent, string Birth)? ReadStat(string text)
    {
        // The name in parentheses may hold anything; the state is the first field after it, the parent the second, the birth the 20th.
        var fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 19 && fields[0] is not ("Z" or "X") && Number(text.Split(' ')[0], out var id) && Number(fields[1], out var parent)
            ? (id, parent, fields[19])
            : null;
    }

    private List<int> Look()
    {
        var alive = Table();
        if (_seen.Count == 0 && alive.FirstOrDefault(process => process.Id == root.Id) is { Id: > 0 } first) _seen[first.Id] = first.Birth;
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

    private static List<(int Id, int Parent, string Birth)> Table()
    {
        if (!OperatingSystem.IsLinux()) return [.. ReadTable(AskPs())];
        var table = new List<(int, int, string)>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!char.IsAsciiDigit(Path.GetFileName(directory)[0])) continue;
            try
            {
                if (ReadStat(File.ReadAllText(directory + "/stat")) is { } process) table.Add(process);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile.
            }
        }

        return table;
    }

    private static string AskPs()
    {
        var start = new ProcessStartInfo("/bin/ps", ["-A", "-o", "pid=,ppid=,stat=,lstart="]) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment["LC_ALL"] = "C";
        using var ps = Process.Start(start)!;
        return ps.StandardOutput.ReadToEnd();
    }

    private static void Signal(List<int> processes, int signal)
    {
        foreach (var id in processes) _ = Send(id, signal);
    }

    private static bool Number(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    [DllImport("libc", EntryPoint = "kill", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Send(int process, int signal);
}
