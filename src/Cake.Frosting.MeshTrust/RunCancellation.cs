using System.Runtime.InteropServices;

namespace Cake.Frosting.MeshTrust;

/// <summary>
/// Ends a run cleanly: Cake hands no token to tasks and ends the process on Ctrl-C without its teardown, so MeshTrust has a token of its own.
/// The first SIGINT, SIGTERM or SIGHUP cancels it; a second one ends the process at once, as if nobody had listened.
/// </summary>
public sealed class RunCancellation : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private Timer? _timer;
    private int _exitCode;

    /// <summary>Cancelled by the first signal or at the end of the time limit.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>The exit code that the cause asks for: 130 (SIGINT), 143 (SIGTERM), 129 (SIGHUP), 124 (time limit); null while nothing happened.</summary>
    public int? ExitCode => Volatile.Read(ref _exitCode) is var code and not 0 ? code : null;

    /// <summary>Why the run was ended, as a sentence; null while nothing happened.</summary>
    public string? Cause => ExitCode switch
    {
        null => null,
        124 => "The time limit of the run (--timeout) is over.",
        129 => "The terminal hung up (SIGHUP).",
        130 => "Stopped by Ctrl-C (SIGINT).",
        _ => "Stopped from outside (SIGTERM).",
    };

    /// <summary>Starts to listen to signals. It may be called more than once.</summary>
    public RunCancellation ListenToSignals()
    {
        lock (_registrations)
        {
            if (_registrations.Count > 0) return this;
            Listen(PosixSignal.SIGINT, 130);
            Listen(PosixSignal.SIGTERM, 143);
            Listen(PosixSignal.SIGHUP, 129);
        }

        return this;
    }

    /// <summary>Ends the run after <paramref name="limit"/>; only the first call counts.</summary>
    public void LimitTo(TimeSpan limit)
    {
        var timer = new Timer(_ => Cancel(124), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (Interlocked.CompareExchange(ref _timer, timer, null) is null) timer.Change(limit, Timeout.InfiniteTimeSpan);
        else timer.Dispose();
    }

    /// <summary>Lifts the time limit, for a target that is meant to stay.</summary>
    public void LiftLimit() => _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Says that the end was asked for and is no fault: how a target ends that stays until Ctrl-C.</summary>
    public void Forgive() => Volatile.Write(ref _exitCode, 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _timer?.Dispose();
        _source.Dispose();
    }

    private void Listen(PosixSignal signal, int exitCode) =>
        _registrations.Add(PosixSignalRegistration.Create(signal, context => context.Cancel = Cancel(exitCode)));

    private bool Cancel(int exitCode)
    {
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) != 0) return false;

        // Callbacks may run long; a signal handler must not.
        _ = Task.Run(() =>
        {
            try { _source.Cancel(); }
            catch (ObjectDisposedException) { /* the run ended meanwhile */ }
        });
        return true;
    }
}
