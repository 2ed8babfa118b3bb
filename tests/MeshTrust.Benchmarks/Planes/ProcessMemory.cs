using System.Globalization;

namespace MeshTrust.Benchmarks.Planes;

/// <summary>The memory of a process as Linux reports it, in bytes; null on other systems.</summary>
internal static class ProcessMemory
{
    public static double? Resident(int process) => Read($"/proc/{process}/status", "VmRSS:");

    public static double? Share(int process) => Read($"/proc/{process}/smaps_rollup", "Pss:");

    private static double? Read(string file, string name) => OperatingSystem.IsLinux() && File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
        ? double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024
        : null;
}
