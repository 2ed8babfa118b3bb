using System.Diagnostics;

namespace MeshTrust.Tests.Contracts;

/// <summary>
/// Ends the processes of a test run however the test host dies, SIGKILL included: a shell reads our end of a pipe,
/// and when that end closes it kills what it was told of and removes the directory. POSIX systems only.
/// </summary>
internal sealed class ProcessReaper : IDisposable
{
    // It lets go of our output first: whoever pipes a test run somewhere would wait for it otherwise.
    private const string Script = """
        exec >/dev/null 2>&1
        trap '' INT HUP TERM QUIT
        pids=
        while read -r pid; do pids="$pids $pid"; done
        [ -n "$pids" ] && kill -KILL $pids
        rm -rf "$1"
        """;

    private readonly Process _shell;

    public ProcessReaper(string directory)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, UseShellExecute = false };
        foreach (var argument in (string[])["-c", Script, "sh", directory]) start.ArgumentList.Add(argument);
        _shell = Process.Start(start)!;
    }

    /// <summary>Adds a process. To be called at once after its start.</summary>
    public void Add(int pid)
    {
        _shell.StandardInput.Write($"{pid}\n");
        _shell.StandardInput.Flush();
    }

    /// <summary>Lets it do its work and waits for it.</summary>
    public void Dispose()
    {
        _shell.StandardInput.Close();
        _shell.WaitForExit(TimeSpan.FromSeconds(10));
        _shell.Dispose();
    }
}
