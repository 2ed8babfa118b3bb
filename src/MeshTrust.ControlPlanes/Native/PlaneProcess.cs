using System.ComponentModel;
using System.Globalization;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// etcd or kube-apiserver of one control plane. It is killed, not asked to stop: its memory holds nothing of value, and an API server with
/// an open watch takes a minute to stop by itself.
/// </summary>
internal sealed class PlaneProcess
{
    private const int LinesShown = 6;
    private const string Loopback = "127.0.0.1,localhost";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);
    private readonly PlanePlan _plan;
    private readonly string _name;
    private readonly string _command;
    private readonly ChildProcess _child;

    private PlaneProcess(PlanePlan plan, string name, string command, ChildProcess child) =>
        (_plan, _name, _command, _child) = (plan, name, command, child);

    public int Id => _child.Id;
    public string LogPath => _plan.LogFile(_name);

    public Task<int> Exited => _child.Exited;

    /// <summary>Its output, errors last: the two pipes have no common order.</summary>
    private string Said => $"{_child.Output}\n{_child.Error}";

    /// <summary>Whether it reports that its port is in use: Go's text on Unix and Windows; the exit code does not show it.</summary>
    public bool FoundPortTaken => Says("address already in use") || Says("Only one usage of each socket address");

    /// <summary>Starts a process of a control plane and records it, so that a later run can stop what is left.</summary>
    /// <exception cref="MeshTrustException">MT2123: it cannot be run; MT1001 to MT1004: the disk.</exception>
    public static PlaneProcess Start(PlanePlan plan, string name, string program, IReadOnlyList<string> arguments)
    {
        var command = string.Join(' ', arguments.Prepend(program).Select(Quote));
        FileStream? log = null;
        try
        {
            File.Delete(plan.LogFile(name));
            log = AtomicFile.CreateNew(plan.LogFile(name), secret: true, FileShare.ReadWrite | FileShare.Delete);
            var request = new ProcessRequest(program, arguments)
            {
                Directory = plan.Directory, Environment = PrepareEnvironment, Log = log, MustBeGuarded = true,
            };
            var process = new PlaneProcess(plan, name, command, ChildProcess.Start(request));
            log = null;
            try
            {
                plan.Run.Record(process.Id);
                return process;
            }
            catch
            {
                process.KillAndWait(EndLimit);
                throw;
            }
        }
        catch (Win32Exception e)
        {
            throw NotRun(plan, name, command, e);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, plan.Directory, e);
        }
        finally
        {
            log?.Dispose();
        }
    }

    /// <summary>Waits for it to be ready while it lives.</summary>
    /// <returns>False when it ended first.</returns>
    /// <exception cref="MeshTrustException">MT2121: it takes too long.</exception>
    public async Task<bool> WaitUntilReadyAsync(Func<CancellationToken, Task<bool>> isReady, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Ready counts only while the child is alive: another program may answer instead.
            if (await isReady(cancellationToken).ConfigureAwait(false) && !Exited.IsCompleted) return true;
            if (Exited.IsCompleted) return false;
            if (_child.Age > _plan.Timeout) throw TimedOut();
            await Task.WhenAny(Exited, Task.Delay(Pause, cancellationToken)).ConfigureAwait(false);
        }
    }

    public async Task KillAsync()
    {
        // A control plane has no children, and a walk over the process tree is slow.
        _child.Kill();
        try
        {
            await Exited.WaitAsync(EndLimit).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A process in an uninterruptible wait in the kernel is killed as soon as that ends.
        }
    }

    public void Kill() => _child.Kill();

    /// <summary>Stops it when nothing asynchronous may run any more.</summary>
    public void KillAndWait(TimeSpan limit)
    {
        _child.Kill();
        _child.WaitForExit(limit);
    }

    public MeshTrustException ExitedEarly(int code) => Fault("MT2120",
        $"{_name} exited with code {code} after {Seconds(_child.Age)} s, before it was ready.{Details()}", Hint(code));

    public MeshTrustException NoPort(int attempts) => Fault("MT2122",
        $"{_name} found its port in use, {attempts} times with different ports.{Details()}",
        "A program on this machine grabs every free port: stop it, or run again.");

    public Problem Died(int code) => new("MT2124", _plan.Name,
        $"{_name} of this control plane exited with code {code}, {Seconds(_child.Age)} s after its start, while it was in use."
            + Details(),
        code == 137
            ? "It was killed: check for the out-of-memory killer (dmesg) or another job, and run again."
            : "Check the log, and run again.");

    private MeshTrustException TimedOut() => Fault("MT2121",
        $"{_name} was not ready after {Seconds(_plan.Timeout)} s and was stopped ({Environment.ProcessorCount} processors, "
            + $"{_plan.Options.Names.Count} control planes at once{Load()}).{Details()}",
        "On a busy machine set KUBEBUILDER_CONTROLPLANE_START_TIMEOUT=120s, or start fewer at once; otherwise check the log.");

    private static MeshTrustException NotRun(PlanePlan plan, string name, string command, Win32Exception fault)
    {
        // errno of Linux and macOS, then Windows' own.
        var (why, hint) = fault.NativeErrorCode switch
        {
            2 or 3 => ("the program does not exist",
                "Install it, or set KUBEBUILDER_ASSETS to a directory with etcd and kube-apiserver."),
            8 or 193 => ("it is built for another platform, or truncated (exec format error)",
                "Install the build for this platform, for example with --target=ControlPlaneBinaries."),
            13 or 5 => ("permission denied",
                "Make it executable (chmod +x); if its file system is mounted noexec, copy it elsewhere."),
            _ => (fault.Message.TrimEnd('.'), "Run the command manually for details."),
        };
        return new MeshTrustException(Stage.ClusterCreation,
            new Problem("MT2123", plan.Name, $"{name} cannot be run: {why}.\n  Command: {command}", hint), fault);
    }

    private MeshTrustException Fault(string id, string message, string hint) =>
        new(Stage.ClusterCreation, new Problem(id, _plan.Name, message, hint));

    private string Details()
    {
        var said = Text.LastLines(string.IsNullOrWhiteSpace(_child.Error) ? _child.Output : _child.Error, LinesShown);
        return $"\n  Last output: {(said.Length == 0 ? "none" : said)}\n  Log: {LogPath}\n  Command: {_command}\n ";
    }

    private string Hint(int code)
    {
        if (Says("no default routes found")) return "Pass --advertise-address=127.0.0.1, which is set unless an extra flag replaces it.";
        if (Says("unknown flag") || Says("flag provided but not defined"))
            return $"This version of {_name} does not support one of the flags: check the extra flags.";
        if (Says("no space left on device")) return "The disk or /dev/shm is full: free space, or choose another run directory.";
        if (Says("shadowed by corresponding command-line flag")) return "A wrapper sets an etcd variable: unset it.";
        if (Says("permission denied")) return "Check the permissions of the files that it names.";
        if (code != 137) return "Check the log, and run the command manually for details.";
        return OperatingSystem.IsMacOS()
            ? "It was killed: macOS does so with programs in quarantine (xattr -d com.apple.quarantine FILE), or memory ran out."
            : "It was killed: memory may have run out (dmesg).";
    }

    private bool Says(string text) => Said.Contains(text, StringComparison.OrdinalIgnoreCase);

    private static void PrepareEnvironment(IDictionary<string, string?> environment)
    {
        EtcdServer.RemoveVariables(environment);
        foreach (var name in OperatingSystem.IsWindows() ? ["NO_PROXY"] : (string[])["NO_PROXY", "no_proxy"])
            environment[name] = environment.TryGetValue(name, out var value) && value is { Length: > 0 } ? $"{value},{Loopback}" : Loopback;
    }

    private static string Quote(string text) =>
        text.Any(c => char.IsWhiteSpace(c) || c is '\'' or '"' or '$' or '*' or ';' or '&')
            ? $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'"
            : text;

    private static string Load()
    {
        try
        {
            return OperatingSystem.IsLinux() ? $", load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}" : "";
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            return "";
        }
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
}
