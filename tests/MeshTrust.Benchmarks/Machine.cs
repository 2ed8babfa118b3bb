using System.Globalization;
using System.Runtime.InteropServices;
using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks;

/// <summary>The machine that was measured: figures mean nothing without it.</summary>
internal static class Machine
{
    public static async Task<string> DescribeAsync(CancellationToken cancellationToken)
    {
        var openssl = "no openssl on the PATH";
        if (ChildProcess.OnPath("openssl") is { } path)
            openssl = (await ChildProcess.RunAsync(new ChildCommand(path, ["version"], Path.GetTempPath()), cancellationToken)).Output.Split('(')[0].Trim();
        return string.Create(CultureInfo.InvariantCulture, $"{Processor()}, {Environment.ProcessorCount} cores; {RuntimeInformation.OSDescription}; .NET {Environment.Version}; {openssl}\n{Load()}");
    }

    /// <summary>How busy the machine is: on a busy one, figures are too high.</summary>
    public static string Load() => File.Exists("/proc/loadavg")
        ? $"load of the machine over 1, 5 and 15 minutes: {string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3))}"
        : "load of the machine: unknown here";

    private static string Processor()
    {
        if (!File.Exists("/proc/cpuinfo")) return RuntimeInformation.ProcessArchitecture.ToString();
        var line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}
