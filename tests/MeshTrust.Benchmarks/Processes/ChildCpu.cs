using System.Globalization;

namespace MeshTrust.Benchmarks.Processes;

/// <summary>The processor time of children that have ended, as Linux adds it up for their parent: to a hundredth of a second.</summary>
internal static class ChildCpu
{
    /// <summary>User and system time of all children so far; null on other systems.</summary>
    public static TimeSpan? SoFar()
    {
        if (!OperatingSystem.IsLinux()) return null;
        // proc_pid_stat(5): cutime and cstime are fields 16 and 17; the name in field 2 may hold spaces, so count behind its bracket.
        var text = File.ReadAllText("/proc/self/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture);
        return TimeSpan.FromMilliseconds(ticks * 10);
    }
}
