using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace MeshTrust.ControlPlanes.Native.Processes;

/// <summary>
/// One POSIX shell that waits for the end of its standard input. The kernel closes that pipe however this process ends, SIGKILL too, and the
/// shell then kills what it was told of. Not prctl(PR_SET_PDEATHSIG): that is tied to the thread that forks, and threads of the pool retire.
/// </summary>
internal sealed class StdinReaperGuard : IProcessGuard
{
    private const string Program = "/bin/sh";

    // It must hold no output of ours open, survive a Ctrl-C that goes to the whole group, and kill rather than ask:
    // an API server that lost etcd takes 20 s to end by itself.
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

    /// <summary>The shell, for tests.</summary>
    public Process Shell => _shell;

    public void Add(Process process)
    {
        lock (_lock)
        {
            _children.Add(process.Id);
            Tell("add", process.Id.ToString(CultureInfo.InvariantCulture));
        }
    }

    public void Remove(int id)
    {
        lock (_lock)
        {
            if (_children.Remove(id)) Tell("del", id.ToString(CultureInfo.InvariantCulture));
        }
    }

    public void AddDirectory(string path)
    {
        lock (_lock)
        {
            if (path.Contains('\n', StringComparison.Ordinal) || !_directories.Add(path)) return;
            Tell("dir", path);
        }
    }

    public void RemoveDirectory(string path)
    {
        lock (_lock)
        {
            if (_directories.Remove(path)) Tell("rmd", path);
        }
    }

    private static Process Start()
    {
        var start = new ProcessStartInfo(Program, ["-c", Script.ReplaceLineEndings("\n")]) { UseShellExecute = false, RedirectStandardInput = true, WorkingDirectory = "/" };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw ProcessGuard.Missing(Program, e);
        }
    }

    private void Tell(string verb, string what)
    {
        try
        {
            Write(verb, what);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Somebody killed it: another one takes over with all that is alive.
            _shell.Dispose();
            _shell = Start();
            foreach (var child in _children) Write("add", child.ToString(CultureInfo.InvariantCulture));
            foreach (var directory in _directories) Write("dir", directory);
        }
    }

    private void Write(string verb, string what)
    {
        _shell.StandardInput.Write($"{verb} {what}\n");
        _shell.StandardInput.Flush();
    }
}
