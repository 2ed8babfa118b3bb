using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MeshTrust.IO;

/// <summary>Kills child processes when this process ends, however it ends. It is created when the first child starts.</summary>
internal abstract class ProcessGuard
{
    private static readonly Lock Gate = new();
    private static ProcessGuard? _one;

    /// <exception cref="MeshTrustException">MT2128: it cannot be created.</exception>
    public static ProcessGuard Current
    {
        get { lock (Gate) return _one ??= OperatingSystem.IsWindows() ? new JobObjectGuard() : new StdinReaperGuard(); }
    }

    /// <summary>Forgets a child that has exited: its id may soon belong to another process.</summary>
    public static void Forget(int id)
    {
        ProcessGuard? guard;
        lock (Gate) guard = _one;
        guard?.Remove(id);
    }

    public abstract void Add(Process process);

    protected virtual void Remove(int id) { }

    /// <summary>A directory to remove after the children have been killed.</summary>
    public virtual void AddDirectory(string path) { }

    public virtual void RemoveDirectory(string path) { }

    protected static MeshTrustException Missing(string what, Exception fault) => new(Stage.ClusterCreation, new Problem("MT2128", what,
        $"The guard that stops control planes together with this process cannot be started: {fault.Message.TrimEnd('.')}. "
        + "No control plane was started.",
        "Run where it is available, or use --provider=embedded, which starts no processes."), fault);
}

/// <summary>
/// A POSIX shell that waits until its standard input closes. The kernel closes that pipe however this process ends, even by SIGKILL; the
/// shell then kills its list of processes. prctl(PR_SET_PDEATHSIG) does not work: it depends on the forking thread, and pool threads exit.
/// </summary>
internal sealed class StdinReaperGuard : ProcessGuard
{
    private const string Program = "/bin/sh";

    // It must not hold this process's output open, must survive a Ctrl-C to the whole group, and must use SIGKILL:
    // an API server that lost etcd takes 20 s to exit.
    private const string Script = """
        exec >/dev/null 2>&1
        trap '' INT HUP TERM QUIT PIPE
        set -f
        nl='
        '
        pids= dirs=
        while IFS=' ' read -r verb what; do
          case $verb in
            add) pids="$pids $what" ;;
            del) kept=; for p in $pids; do [ "$p" = "$what" ] || kept="$kept $p"; done; pids=$kept ;;
            dir) dirs="$dirs$what$nl" ;;
            rmd) kept=; IFS=$nl; for d in $dirs; do [ "$d" = "$what" ] || kept="$kept$d$nl"; done; unset IFS; dirs=$kept ;;
          esac
        done
        for p in $pids; do kill -KILL "$p"; done
        IFS=$nl
        for d in $dirs; do rm -rf -- "$d" || { sleep 1; rm -rf -- "$d"; }; done
        """;

    private readonly Lock _lock = new();
    private readonly HashSet<int> _children = [];
    private readonly HashSet<string> _directories = [];
    private Process _shell;

    /// <exception cref="MeshTrustException">MT2128: there is no shell.</exception>
    public StdinReaperGuard() => _shell = Start();

    public Process Shell => _shell;

    public override void Add(Process process)
    {
        lock (_lock)
        {
            _children.Add(process.Id);
            Tell($"add {process.Id}");
        }
    }

    protected override void Remove(int id)
    {
        lock (_lock)
            if (_children.Remove(id)) Tell($"del {id}");
    }

    public override void AddDirectory(string path)
    {
        lock (_lock)
            if (!path.Contains('\n', StringComparison.Ordinal) && _directories.Add(path)) Tell($"dir {path}");
    }

    public override void RemoveDirectory(string path)
    {
        lock (_lock)
            if (_directories.Remove(path)) Tell($"rmd {path}");
    }

    private static Process Start()
    {
        string[] arguments = ["-c", Script.ReplaceLineEndings("\n")];
        try
        {
            return Process.Start(new ProcessStartInfo(Program, arguments)
            {
                UseShellExecute = false, RedirectStandardInput = true, WorkingDirectory = "/",
            })!;
        }
        catch (Win32Exception e)
        {
            throw Missing(Program, e);
        }
    }

    private void Tell(params IEnumerable<string> lines)
    {
        try
        {
            foreach (var line in lines) _shell.StandardInput.Write(line + "\n");
            _shell.StandardInput.Flush();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The shell was killed: a new one takes over all live children.
            _shell.Dispose();
            _shell = Start();
            Tell([.. _children.Select(child => $"add {child}"), .. _directories.Select(directory => $"dir {directory}")]);
        }
    }
}

/// <summary>
/// Windows: a job object that kills its processes when its last handle is closed, which the system does however this process ends.
/// Follows the documentation of CreateJobObject and JOBOBJECT_EXTENDED_LIMIT_INFORMATION; not yet run on Windows (see the docs).
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed class JobObjectGuard : ProcessGuard
{
    private const int ExtendedLimitInformation = 9;
    private const uint KillOnJobClose = 0x2000;
    private readonly nint _job;

    public JobObjectGuard()
    {
        _job = CreateJobObject(0, null);
        var limits = new ExtendedLimits { LimitFlags = KillOnJobClose };
        if (_job == 0 || !SetInformationJobObject(_job, ExtendedLimitInformation, ref limits, (uint)Marshal.SizeOf<ExtendedLimits>()))
            throw Missing("job object", new Win32Exception(Marshal.GetLastPInvokeError()));
    }

    public override void Add(Process process)
    {
        // An exited process cannot be assigned, and need not be.
        if (!AssignProcessToJobObject(_job, process.Handle) && !process.HasExited)
            throw Missing("job object", new Win32Exception(Marshal.GetLastPInvokeError()));
    }

    [DllImport("kernel32.dll", EntryPoint = "CreateJobObjectW", CharSet = CharSet.Unicode, SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern nint CreateJobObject(nint attributes, string? name);

    [DllImport("kernel32.dll", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool SetInformationJobObject(nint job, int kind, ref ExtendedLimits limits, uint size);

    [DllImport("kernel32.dll", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool AssignProcessToJobObject(nint job, nint process);

    /// <summary>JOBOBJECT_EXTENDED_LIMIT_INFORMATION, 64-bit: the flags follow two 8-byte times; 0 is no limit.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 144)]
    private struct ExtendedLimits
    {
        [FieldOffset(16)]
        public uint LimitFlags;
    }
}
