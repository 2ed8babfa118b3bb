using System.Collections.Concurrent;
using System.ComponentModel;
using System.Text.RegularExpressions;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>Gets the version of a program: one that cannot report it is truncated, built for another platform, or something else.</summary>
internal static partial class ProgramVersion
{
    /// <summary>The first read of 120 MiB from a busy disk takes seconds.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private static readonly ConcurrentDictionary<(string Path, DateTime Written, long Size), string> Known = new();

    /// <summary>
    /// The version, without a <c>v</c>, or the reason why there is none. A program is run once per path, modification time and size.
    /// </summary>
    public static (string? Version, string? Reason) Ask(string path, string program)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) return (null, Directory.Exists(path) ? $"{path} is a directory" : $"{path} does not exist");
            var key = (file.FullName, file.LastWriteTimeUtc, file.Length);
            if (Known.TryGetValue(key, out var known)) return (known, null);
            var (version, reason) = Run(path, program);
            if (version is not null) Known[key] = version;
            return (version, reason);
        }
        catch (Win32Exception fault)
        {
            return (null, $"{path} cannot be run: {WhyNotRun(fault)}");
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            return (null, $"{path} cannot be read:  {fault.Message.TrimEnd('.')}");
        }
    }

    private static (string? Version, string? Reason) Run(string path, string program)
    {
        using var child = ChildProcess.Start(new ProcessRequest(path, ["--version"]) { Environment = EtcdServer.RemoveVariables });
        if (!child.WaitForResult(Deadline)) return (null, $"{path} --version did not finish within {Deadline.TotalSeconds:0} s");
        var match = (program == "etcd" ? Etcd() : ApiServer()).Match($"{child.Output}\n{child.Error}");
        return child.ExitCode switch
        {
            0 when match.Success => (match.Groups[1].Value, null),
            0 => (null, $"{path} does not identify itself as {program}"),
            137 when OperatingSystem.IsMacOS() =>
                (null, $"{path} was killed by macOS: it may be in quarantine (xattr -d com.apple.quarantine {path})"),
            var code => (null, $"{path} --version exited with code {code}: it is truncated, or not {program}"),
        };
    }

    // The numbers are errno on Linux and macOS, and Windows' own: 193 is ERROR_BAD_EXE_FORMAT.
    private static string WhyNotRun(Win32Exception fault) => fault.NativeErrorCode switch
    {
        8 or 193 => "it is built for another platform, or truncated (exec format error)",
        13 or 5 => "permission denied: it is not executable (chmod +x), or its file system is mounted noexec",
        26 => "it is being written (text file busy)",
        _ => fault.Message.TrimEnd('.'),
    };

    [GeneratedRegex(@"^etcd Version:\s*v?([0-9][^\s]*)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Etcd();

    [GeneratedRegex(@"^Kubernetes v([0-9][^\s]*)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex ApiServer();
}
