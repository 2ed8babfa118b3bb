using System.ComponentModel;
using System.Diagnostics;
using MeshTrust.ControlPlanes.State;

namespace MeshTrust.ControlPlanes.Native.Processes;

/// <summary>
/// A child process of ours: its output is drained all the time (a full pipe would block it) into a tail and a log file, a guard ends it
/// when this process ends, whatever the cause, and it is killed, never asked: what it holds in memory is worth nothing.
/// </summary>
internal sealed class ManagedProcess
{
    private const int TextFileBusy = 26;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly IProcessGuard _guard;
    private readonly Task _drained;
    private readonly OutputTail _output = new();
    private readonly OutputTail _errors = new();

    private ManagedProcess(ProcessPlan plan, Process process, IProcessGuard guard, Stream log)
    {
        Plan = plan;
        _process = process;
        _guard = guard;
        Id = process.Id;
        Started = TimeProvider.System.GetTimestamp();
        var gate = new Lock();
        _drained = DrainAsync(log, gate);
        Exited = WaitAsync();
    }

    public ProcessPlan Plan { get; }

    public int Id { get; }

    /// <summary>Everything that is kept of what it said, errors last: the two pipes have no common order.</summary>
    public string Said => $"{_output}\n{_errors}";

    /// <summary>What it said last: on standard error where it said anything there.</summary>
    public string LastLines(int count) => _errors.LastLines(count) is { Length: > 0 } errors ? errors : _output.LastLines(count);

    /// <summary>Ends when the process has ended, with its exit code.</summary>
    public Task<int> Exited { get; }

    /// <summary>A timestamp of <see cref="TimeProvider.System"/>.</summary>
    public long Started { get; }

    public TimeSpan Age => TimeProvider.System.GetElapsedTime(Started);

    /// <exception cref="Win32Exception">The program cannot be run.</exception>
    public static async Task<ManagedProcess> StartAsync(ProcessPlan plan, IProcessGuard guard, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(plan.Program, plan.Arguments)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = plan.Directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        PrepareEnvironment(start.Environment);
        var log = PrivateFile.CreateLog(plan.LogFile);
        try
        {
            return await StartAsync(plan, start, guard, log, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await log.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
    /// <summary>Ends it at once; it may be called again, and never throws.</summary>
    public void Kill()
    {
        try
        {
            // The planes have no children, and a walk over the process tree is slow.
            if (!_process.HasExited) _process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It ended meanwhile.
        }
    }

    /// <summary>Ends it and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        Kill();
        try
        {
            await Exited.WaitAsync(Patience).ConfigureAwait(false);
            await _drained.WaitAsync(Patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A process in an uninterruptible wait of the kernel: it is killed as soon as that ends.
        }
    }

    /// <summary>Ends it where nothing asynchronous may run any more.</summary>
    public void KillAndWait(TimeSpan patience)
    {
        Kill();
        try
        {
            _process.WaitForExit(patience);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It ended meanwhile.
        }
    }

    private static async Task<ManagedProcess> StartAsync(ProcessPlan plan, ProcessStartInfo start, IProcessGuard guard, Stream log, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            var process = new Process { StartInfo = start };
            try
            {
                process.Start();
            }
            catch (Win32Exception e) when (e.NativeErrorCode == TextFileBusy && attempt < 40 && !OperatingSystem.IsWindows())
            {
                // A program that was just written: another child that is being started may hold its descriptor until it execs.
                process.Dispose();
                await Task.Delay(25, cancellationToken).ConfigureAwait(false);
                continue;
            }
            catch
            {
                process.Dispose();
                throw;
            }

            // The guard first: from here on the child cannot outlive us.
            guard.Add(process);
            process.StandardInput.Close();
            return new ManagedProcess(plan, process, guard, log);
        }
    }

    private static void PrepareEnvironment(IDictionary<string, string?> environment)
    {
        // etcd stops on variables of its own that contradict its command line.
        foreach (var name in environment.Keys.Where(name => name.StartsWith("ETCD_", StringComparison.OrdinalIgnoreCase)).ToList()) environment.Remove(name);
        foreach (var name in OperatingSystem.IsWindows() ? ["NO_PROXY"] : (string[])["NO_PROXY", "no_proxy"])
            environment[name] = environment.TryGetValue(name, out var value) && value is { Length: > 0 } ? $"{value},127.0.0.1,localhost" : "127.0.0.1,localhost";
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        var code = _process.ExitCode;
        _guard.Remove(Id);

        // What it said last may still be in the pipe; a grandchild may hold it open for ever.
        try
        {
            await _drained.WaitAsync(TimeSpan.FromMilliseconds(500)).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
        }

        return code;
    }

    private async Task DrainAsync(Stream log, Lock gate)
    {
        await using (log.ConfigureAwait(false))
        {
            await Task.WhenAll(
                DrainAsync(_process.StandardOutput.BaseStream, _output, log, gate),
                DrainAsync(_process.StandardError.BaseStream, _errors, log, gate)).ConfigureAwait(false);
        }
    }

    private static async Task DrainAsync(Stream pipe, OutputTail tail, Stream log, Lock gate)
    {
        var buffer = new byte[16 * 1024];
        while (true)
        {
            int count;
            try
            {
                count = await pipe.ReadAsync(buffer).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            if (count == 0) return;
            tail.Append(buffer.AsSpan(0, count));
            lock (gate)
            {
                try
                {
                    log.Write(buffer, 0, count);
                }
                catch (IOException)
                {
                    // A full disk must not stop the draining; the tail has the end of it.
                }
            }
        }
    }
}
