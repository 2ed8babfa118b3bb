using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace MeshTrust.ControlPlanes.Native.Processes;

/// <summary>When a process began, in whatever unit the system has: with its id it names one process for ever, ids alone come again.</summary>
internal static class ProcessBirth
{
    /// <summary>Null where there is no such process, or it is not ours to see.</summary>
    public static string? Of(int id)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // The name in parentheses may hold anything; field 22 is the 20th after it, and the first of those is the state (Z: dead).
                var text = File.ReadAllText($"/proc/{id}/stat");
                var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                return fields[0] is "Z" or "X" ? null : fields[19];
            }

            using var process = Process.GetProcessById(id);
            return process.HasExited ? null : process.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }
}
