using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace MeshTrust.IO;

/// <summary>A program to run. No shell takes part. No argument may be secret: everybody on the machine can read them.</summary>
internal sealed record ProcessRequest(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>The arguments as one line that is quoted already, instead of <see cref="Arguments"/>.</summary>
    public string? ArgumentLine { get; init; }

    /// <summary>Where it runs; empty for the current directory.</summary>
    public string Directory { get; init; } = "";

    /// <summary>Changes the variables that it inherits.</summary>
    public Action<IDictionary<string, string?>>? Environment { get; init; }

    /// <summary>What it reads from standard input; null for nothing. Secrets go this way.</summary>
    public string? Input { get; init; }

    /// <summary>
    /// The most bytes of standard output, all of which are kept; null keeps the first and the last, as of standard error.
    /// </summary>
    public int? MostOutput { get; init; }

    /// <summary>Gets each line of standard error as it comes, from another thread.</summary>
    public Action<string>? OnErrorLine { get; init; }

    /// <summary>Gets all that comes out of both pipes, and is disposed of at their end.</summary>
    public Stream? Log { get; init; }

    /// <summary>Whether it may run only where it is sure to end with this process.</summary>
    public bool MustBeGuarded { get; init; }
}

/// <summary>How a program ended. What it said may be secret, a kubeconfig for instance: it is never logged as it is.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error; of a long one the first and the last.</param>
internal sealed record ProcessResult(int ExitCode, string Output, string Error)
{
    /// <summary>Says how it ended and nothing of what it said.</summary>
    public override string ToString() => $"exit code {ExitCode}";
}

/// <summary>Runs programs to their end.</summary>
internal static class ProcessRunner
{
    /// <summary>Waits for the end; at the deadline, or when the token is cancelled, ends the program and all its children.</summary>
    /// <exception cref="Win32Exception">The program cannot be run.</exception>
    /// <exception cref="TimeoutException">The deadline passed.</exception>
    /// <exception cref="InvalidDataException">It said more than <see cref="ProcessRequest.MostOutput"/>.</exception>
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
                ? new InvalidDataException($"{request.Program} said more than {request.MostOutput} bytes")
                : new TimeoutException($"{request.Program} did not end within {deadline}");
        }
    }
}

/// <summary>
/// A program that runs. Its output is drained from the first moment on, since a full pipe would block it, and a guard ends it when this
/// process ends, SIGKILL included: kind must not go on making a cluster that the next run then finds half made.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    private const int TextFileBusy = 26;

    /// <summary>For what comes after the exit: a last word in the pipe, or a grandchild that holds it open for ever.</summary>
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
        _drained = DrainAsync(request.OnErrorLine);
        Exited = WaitAsync();
        _ = FeedAsync(request.Input);
    }

    public int Id { get; }

    /// <summary>Ends with its exit code when it has ended and its pipes are empty; with the fault of a listener that failed.</summary>
    public Task<int> Exited { get; }

    /// <summary>Its exit code, once it has ended.</summary>
    public int ExitCode => _process.ExitCode;

    public string Output => _output.ToString();

    public string Error => _error.ToString();

    public TimeSpan Age => TimeProvider.System.GetElapsedTime(_started);

    /// <summary>Is cancelled when it says more than it may.</summary>
    public CancellationToken TooMuch => _tooMuch.Token;

    /// <exception cref="Win32Exception">The program cannot be run.</exception>
    /// <exception cref="MeshTrustException">MT2128: it must be guarded, and there is no guard.</exception>
    public static ChildProcess Start(ProcessRequest request)
    {
        var start = request.ArgumentLine is { } line
            ? new ProcessStartInfo(request.Program, line)
            : new ProcessStartInfo(request.Program, request.Arguments);
        start.UseShellExecute = false;
        start.CreateNoWindow = true;
        start.WorkingDirectory = request.Directory;
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        request.Environment?.Invoke(start.Environment);
        var process = Start(start);
        try
        {
            // The guard first: from here on the child cannot outlive this process.
            ProcessGuard.Current.Add(process);
        }
        catch (MeshTrustException) when (!request.MustBeGuarded)
        {
            // A machine without a shell: the program still runs, and ends with its work.
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }

        return new ChildProcess(process, request);
    }

    /// <summary>Ends it at once. It may be called again, and never throws.</summary>
    public void Kill(bool entireTree = false)
    {
        try
        {
            if (!_process.HasExited) _process.Kill(entireTree);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It ended meanwhile.
        }
    }

    /// <summary>Ends it and its children: asks first (SIGTERM), and kills those that are left after a grace.</summary>
    public async Task EndTreeAsync()
    {
        if (OperatingSystem.IsWindows()) Kill(entireTree: true);
        else await new ProcessTree(Id).EndAsync(Grace).ConfigureAwait(false);
    }

    /// <summary>Waits where nothing asynchronous may run; without a limit for ever.</summary>
    /// <returns>Whether it has ended.</returns>
    public bool WaitForExit(TimeSpan? limit = null) => _process.WaitForExit(limit ?? Timeout.InfiniteTimeSpan);

    /// <summary>As <see cref="WaitForExit"/>, and kills it at the limit; after the exit its output is there.</summary>
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
                // A program that was just written: another child that is being started may hold its descriptor until it execs.
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
            // It does not read what is given to it: its exit code says what that means.
        }
    }

    private async Task DrainAsync(Action<string>? onErrorLine)
    {
        var lines = onErrorLine is null ? null : new LineSplit(onErrorLine);
        await Task.WhenAll(
            DrainAsync(_process.StandardOutput.BaseStream, _output, null),
            DrainAsync(_process.StandardError.BaseStream, _error, lines)).ConfigureAwait(false);
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
                // A full disk must not stop the draining; the end of it is kept.
            }
        }
    }
}
