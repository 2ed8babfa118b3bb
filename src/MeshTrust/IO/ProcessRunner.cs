using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace MeshTrust.IO;

/// <summary>A program to run, without a shell. Arguments must not be secret: every user of the machine can read them.</summary>
internal sealed record ProcessRequest(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>The arguments as one line, already quoted, instead of <see cref="Arguments"/>.</summary>
    public string? ArgumentLine { get; init; }

    public string Directory { get; init; } = "";
    public Action<IDictionary<string, string?>>? Environment { get; init; }

    /// <summary>Its standard input; null for none. Secrets are passed here.</summary>
    public string? Input { get; init; }

    /// <summary>Whether it has this process' standard input and error, so that it can prompt.</summary>
    public bool IsAtTerminal { get; init; }

    /// <summary>The maximum size of standard output, kept completely; null keeps its beginning and end, as for standard error.</summary>
    public int? MostOutput { get; init; }

    /// <summary>Receives each line of standard error, on another thread.</summary>
    public Action<string>? OnErrorLine { get; init; }

    /// <summary>Receives the output of both pipes, and is disposed at their end.</summary>
    public Stream? Log { get; init; }

    /// <summary>Whether it may only run if it is certain to end with this process.</summary>
    public bool MustBeGuarded { get; init; }
}

/// <summary>How a program exited. Its output may be a secret, such as a kubeconfig: never log it. Long errors lack the middle.</summary>
internal sealed record ProcessResult(int ExitCode, string Output, string Error)
{
    /// <summary>The exit code only, no output.</summary>
    public override string ToString() => $"exit code {ExitCode}";
}

internal static class ProcessRunner
{
    /// <summary>Waits for the exit; at the deadline or on cancellation, stops the program and all its children.</summary>
    /// <exception cref="Win32Exception">The program cannot be run.</exception>
    /// <exception cref="TimeoutException">The deadline passed.</exception>
    /// <exception cref="InvalidDataException">It wrote more than <see cref="ProcessRequest.MostOutput"/>.</exception>
    public static async Task<ProcessResult> RunAsync(
        ProcessRequest request, TimeSpan deadline, TimeProvider time, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var child = ChildProcess.Start(request);
        using var late = new CancellationTokenSource(deadline, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, child.TooMuch, cancellationToken);
        try
        {
            var code = await child.Exited.WaitAsync(any.Token).ConfigureAwait(false);
            any.Token.ThrowIfCancellationRequested();
            return new ProcessResult(code, child.Output, child.Error);
        }
        catch (OperationCanceledException)
        {
            await child.EndTreeAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            throw child.TooMuch.IsCancellationRequested
                ? new InvalidDataException($"{request.Program} wrote more than {request.MostOutput} bytes")
                : new TimeoutException($"{request.Program} did not exit within {deadline}");
        }
    }
}

/// <summary>
/// A running program. Its output is drained from the start, since a full pipe would block it. A guard kills it when this process ends, even
/// by SIGKILL: kind must not keep creating a cluster that the next run then finds incomplete.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    private const int TextFileBusy = 26;

    /// <summary>For what follows the exit: last output in the pipe, or a grandchild that holds it open forever.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly KeptOutput _output;
    private readonly KeptOutput _error = new();
    private readonly CancellationTokenSource _tooMuch = new();
    private readonly Stream? _log;
    private readonly Lock _logging = new();
    private readonly Task _drained;
    private readonly long _started = TimeProvider.System.GetTimestamp();

    private ChildProcess(Process process, ProcessRequest request)
    {
        _process = process;
        _log = request.Log;
        _output = request.MostOutput is { } most ? new KeptOutput(most, tail: 0) : new KeptOutput();
        Id = process.Id;
        _drained = DrainAsync(request);
        Exited = WaitAsync();
        if (!request.IsAtTerminal) _ = FeedAsync(request.Input);
    }

    public int Id { get; }

    /// <summary>Completes with the exit code once it has exited and its pipes are empty; with the exception of a failed listener.</summary>
    public Task<int> Exited { get; }

    public int ExitCode => _process.ExitCode;
    public string Output => _output.ToString();
    public string Error => _error.ToString();
    public TimeSpan Age => TimeProvider.System.GetElapsedTime(_started);

    /// <summary>Cancelled if it writes more than it may.</summary>
    public CancellationToken TooMuch => _tooMuch.Token;

    /// <exception cref="Win32Exception">The program cannot be run.</exception>
    /// <exception cref="MeshTrustException">MT2128: it requires a guard, and there is none.</exception>
    public static ChildProcess Start(ProcessRequest request)
    {
        var start = request.ArgumentLine is { } line
            ? new ProcessStartInfo(request.Program, line)
            : new ProcessStartInfo(request.Program, request.Arguments);
        start.UseShellExecute = false;
        start.CreateNoWindow = true;
        start.WorkingDirectory = request.Directory;
        start.RedirectStandardOutput = true;
        start.RedirectStandardInput = start.RedirectStandardError = !request.IsAtTerminal;
        request.Environment?.Invoke(start.Environment);
        var process = Start(start);
        try
        {
            // The guard first: from here on, the child cannot outlive this process.
            ProcessGuard.Current.Add(process);
        }
        catch (MeshTrustException) when (!request.MustBeGuarded)
        {
            // A machine without a shell: the program still runs, and exits when it is done.
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }

        return new ChildProcess(process, request);
    }

    /// <summary>Kills it at once. It may be called again, and never throws.</summary>
    public void Kill(bool entireTree = false)
    {
        try
        {
            if (!_process.HasExited) _process.Kill(entireTree);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It exited meanwhile.
        }
    }

    /// <summary>Stops it and its children: SIGTERM first, then SIGKILL after a grace period.</summary>
    public async Task EndTreeAsync()
    {
        if (OperatingSystem.IsWindows()) Kill(entireTree: true);
        else await new ProcessTree(Id).EndAsync(Grace).ConfigureAwait(false);
    }

    /// <summary>Waits synchronously; without a limit, forever.</summary>
    public bool WaitForExit(TimeSpan? limit = null) => _process.WaitForExit(limit ?? Timeout.InfiniteTimeSpan);

    /// <summary>As <see cref="WaitForExit"/>, but kills it at the limit; after the exit its output is available.</summary>
    public bool WaitForResult(TimeSpan limit)
    {
        if (WaitForExit(limit)) return Exited.Wait(limit);
        Kill();
        return false;
    }

    public void Dispose()
    {
        ProcessGuard.Forget(Id);
        _process.Dispose();
        _tooMuch.Dispose();
    }

    private static Process Start(ProcessStartInfo start)
    {
        for (var attempt = 0; ; attempt++)
        {
            var process = new Process { StartInfo = start };
            try
            {
                process.Start();
                return process;
            }
            catch (Win32Exception e) when (e.NativeErrorCode == TextFileBusy && attempt < 40 && !OperatingSystem.IsWindows())
            {
                // A newly written program: another starting child may hold its descriptor until it execs.
                process.Dispose();
                Thread.Sleep(25);
            }
            catch
            {
                process.Dispose();
                throw;
            }
        }
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        var code = _process.ExitCode;
        ProcessGuard.Forget(Id);
        await Task.WhenAny(_drained, Task.Delay(Grace)).ConfigureAwait(false);
        if (_drained.IsFaulted) await _drained.ConfigureAwait(false);
        return code;
    }

    private async Task FeedAsync(string? input)
    {
        try
        {
            await using var pipe = _process.StandardInput.ConfigureAwait(false);
            if (input is not null) await _process.StandardInput.WriteAsync(input).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // It does not read its input: its exit code says what that means.
        }
    }

    private async Task DrainAsync(ProcessRequest request)
    {
        var lines = request.OnErrorLine is null ? null : new LineSplit(request.OnErrorLine);
        await Task.WhenAll(
            DrainAsync(_process.StandardOutput.BaseStream, _output, null),
            request.IsAtTerminal ? Task.CompletedTask : DrainAsync(_process.StandardError.BaseStream, _error, lines)).ConfigureAwait(false);
        if (_log is not null) await _log.DisposeAsync().ConfigureAwait(false);
        lines?.End();
        if (lines?.Fault is { } fault) ExceptionDispatchInfo.Throw(fault);
    }

    private async Task DrainAsync(Stream pipe, KeptOutput kept, LineSplit? lines)
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
            var bytes = buffer.AsSpan(0, count);
            if (!kept.Append(bytes)) _ = _tooMuch.CancelAsync();
            lines?.Append(bytes);
            Log(bytes);
        }
    }

    private void Log(ReadOnlySpan<byte> bytes)
    {
        if (_log is null) return;
        lock (_logging)
        {
            try
            {
                _log.Write(bytes);
            }
            catch (IOException)
            {
                // A full disk must not stop the draining; the end of the output is kept.
            }
        }
    }
}
