using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>Asks a program for its version: what cannot say it is cut off, built for another platform, or something else.</summary>
internal static partial class BinaryVersions
{
    /// <summary>How long a program may take to say its version; the first read of 120 MiB from a busy disk takes seconds.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private const string Busy = "it is being written (text file busy)";

    private static readonly ConcurrentDictionary<(string Path, DateTime Written, long Size), string> Known = new();

    /// <summary>The version, without a <c>v</c>, or the reason why there is none. A program is run once for each path, time of change and size.</summary>
    public static (string? Version, string? Reason) Ask(string path, string program)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) return (null, System.IO.Directory.Exists(path) ? $"{path} is a directory" : $"{path} does not exist");
            var key = (file.FullName, file.LastWriteTimeUtc, file.Length);
            if (Known.TryGetValue(key, out var known)) return (known, null);
            var (version, reason) = Run(path, program);
            // Whatever this process starts at the same moment inherits the descriptor of a file that was just written, for as long as it takes to exec.
            for (var tries = 0; tries < 40 && reason?.Contains(Busy, StringComparison.Ordinal) == true; tries++)
            {
                Thread.Sleep(50);
                (version, reason) = Run(path, program);
            }

            if (version is not null) Known[key] = version;
            return (version, reason);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            return (null, $"{path} cannot be looked at: {fault.Message.TrimEnd('.')}");
        }
    }

    private static (string? Version, string? Reason) Run(string path, string program)
    {
        var start = new ProcessStartInfo(path, ["--version"])
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // etcd stops on variables of its own that contradict its command line.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ETCD_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);

        using var process = new Process { StartInfo = start };
        var output = new StringBuilder();
        var ends = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        process.OutputDataReceived += (_, line) => Keep(line.Data, ends[0]);
        process.ErrorDataReceived += (_, line) => Keep(line.Data, ends[1]);
        try
        {
            process.Start();
        }
        catch (Win32Exception fault)
        {
            return (null, $"{path} cannot be run: {WhyNotRun(fault)}");
        }

        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        if (!process.WaitForExit(Deadline))
        {
            process.Kill();
            return (null, $"{path} --version did not end within {Deadline.TotalSeconds:0} s");
        }

        // The end of the streams may come later than the exit; a grandchild may even hold them open.
        Task.WaitAll([.. ends.Select(end => end.Task)], TimeSpan.FromSeconds(2));
        string text;
        lock (output) text = output.ToString();
        var match = (program == "etcd" ? Etcd() : ApiServer()).Match(text);
        if (process.ExitCode == 0 && match.Success) return (match.Groups[1].Value, null);
        if (process.ExitCode == 137 && OperatingSystem.IsMacOS()) return (null, $"{path} was killed by macOS: it may be in quarantine (xattr -d com.apple.quarantine {path})");
        return (null, process.ExitCode == 0 ? $"{path} does not say that it is {program}" : $"{path} --version ended with exit code {process.ExitCode}: it is cut off, or not {program}");

        void Keep(string? line, TaskCompletionSource end)
        {
            if (line is null) end.TrySetResult();
            lock (output)
            {
                if (line is not null && output.Length < 4096) output.AppendLine(line);
            }
        }
    }

    // The numbers are errno on Linux and macOS, and Windows' own: 193 is ERROR_BAD_EXE_FORMAT.
    private static string WhyNotRun(Win32Exception fault) => fault.NativeErrorCode switch
    {
        8 or 193 => "it is built for another platform, or cut off (exec format error)",
        13 or 5 => "permission denied: it lacks the execute bit (chmod +x), or its file system is mounted noexec",
        26 => Busy,
        _ => fault.Message.TrimEnd('.'),
    };

    [GeneratedRegex(@"^etcd Version:\s*v?([0-9][^\s]*)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Etcd();

    [GeneratedRegex(@"^Kubernetes v([0-9][^\s]*)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex ApiServer();
}
