using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Cake.Core.IO;
using MeshTrust;
using MeshTrust.ControlPlanes.Native.Processes;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>A program that runs. Its output is drained from the first moment on: a full pipe would block it.</summary>
internal sealed class ToolProcess : IProcess
{
    private const int MostOutput = 32 << 20;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly bool _isGuarded;
    private readonly BoundedText _output = new(MostOutput);
    private readonly OutputEnds _error = new();
    private readonly CancellationTokenSource _tooMuch = new();
    private readonly Task _drained;

    public ToolProcess(Process process, Func<string, string>? onErrorLine)
    {
        _process = process;
        _isGuarded = IsGuarded(process);
        var lines = onErrorLine is null ? null : new LineSplit(line => onErrorLine(line));
        _drained = Task.WhenAll(DrainAsync(process.StandardOutput.BaseStream, KeepOutput), DrainErrorAsync(process.StandardError.BaseStream, lines));
    }

    /// <summary>Waits for its end; at the deadline, or when the token is cancelled, ends it and all its children.</summary>
    public async Task<ToolResult> RunToEndAsync(string command, string? input, TimeSpan deadline, TimeProvider time, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(deadline, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _tooMuch.Token, cancellationToken);
        try
        {
            _ = FeedAsync(input, any.Token);
            await _process.WaitForExitAsync(any.Token).ConfigureAwait(false);

            // What it said last may still be in the pipe; a grandchild that stays may hold it open for ever.
            await Task.WhenAny(_drained, Task.Delay(Grace, any.Token)).ConfigureAwait(false);
            any.Token.ThrowIfCancellationRequested();
        }
        catch (OperationCanceledException)
        {
            await new ProcessTree(_process).EndAsync(Grace, TimeProvider.System).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            throw _tooMuch.IsCancellationRequested ? ToolFault.TooMuch(command, MostOutput) : ToolFault.Late(command, deadline);
        }

        if (_drained.IsFaulted) await _drained.ConfigureAwait(false);
        return new ToolResult(_process.ExitCode, _output.ToString(), _error.ToString());
    }

    public void WaitForExit() => _process.WaitForExit();

    public bool WaitForExit(int milliseconds) => _process.WaitForExit(milliseconds);

    public int GetExitCode() => _process.ExitCode;

    public IEnumerable<string> GetStandardOutput() => _output.ToString().Split('\n');

    public IEnumerable<string> GetStandardError() => _error.ToString().Split('\n');

    public void Kill() => new ProcessTree(_process).Kill();

    public void Dispose()
    {
        if (_isGuarded) ProcessGuard.Current.Remove(_process.Id);
        _process.Dispose();
        _tooMuch.Dispose();
    }

    /// <summary>Has it ended when this process ends, SIGKILL included: kind must not go on making a cluster that the next run then finds half made.</summary>
    private static bool IsGuarded(Process process)
    {
        try
        {
            ProcessGuard.Current.Add(process);
            return true;
        }
        catch (MeshTrustException)
        {
            // A machine without a shell: the program still runs, and ends with its work.
            return false;
        }
    }

    private async Task FeedAsync(string? input, CancellationToken cancellationToken)
    {
        try
        {
            await using var pipe = _process.StandardInput.ConfigureAwait(false);
            if (input is not null) await _process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // It does not read what is given to it: its exit code says what that means.
        }
    }

    private void KeepOutput(ReadOnlySpan<byte> bytes)
    {
        if (!_output.Append(bytes)) _tooMuch.CancelAsync();
    }

    private async Task DrainErrorAsync(Stream pipe, LineSplit? lines)
    {
        Exception? fault = null;
        await DrainAsync(pipe, Keep).ConfigureAwait(false);
        Tell(split => split.Flush());
        if (fault is not null) ExceptionDispatchInfo.Throw(fault);

        void Keep(ReadOnlySpan<byte> bytes)
        {
            _error.Append(bytes);
            var copy = bytes.ToArray();
            Tell(split => split.Append(copy));
        }

        // A listener that fails must not stop the draining, or the program would stop.
        void Tell(Action<LineSplit> what)
        {
            try
            {
                if (lines is not null && fault is null) what(lines);
            }
            catch (Exception e)
            {
                fault = e;
            }
        }
    }

    private static async Task DrainAsync(Stream pipe, SpanAction keep)
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
            keep(buffer.AsSpan(0, count));
        }
    }

    private delegate void SpanAction(ReadOnlySpan<byte> bytes);
}
