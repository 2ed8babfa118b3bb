using System.Reflection;
using System.Runtime.InteropServices;
using MeshTrust;
using MeshTrust.IO;

namespace Cake.Frosting.MeshTrust;

/// <summary>The outcome of a run. Cake has one exit code for every failure, so the host records the exception and asks here.</summary>
internal sealed class RunOutcome(RunCancellation cancellation)
{
    private Exception? _fault;

    /// <summary>What to do next if the run succeeds.</summary>
    public IReadOnlyList<NextStep> Next { get; set; } = [];

    /// <summary>
    /// The exit code of a run in which no task failed: not 0 if <c>Status</c> found clusters that are not ready, or nothing is due for
    /// <c>NeedsRenewal</c>.
    /// </summary>
    public int Code { get; set; }

    /// <summary>The exit code of a run that failed for no known reason: another one if 1 has a meaning of its own.</summary>
    public int UnknownFaultCode { get; set; } = 1;

    /// <summary>For a task that is a part of the whole: the whole is next, unless more is known already.</summary>
    public void Continue()
    {
        if (Next.Count == 0) Next = NextSteps.Continue;
    }

    public void Record(Exception? fault) => Interlocked.CompareExchange(ref _fault, fault, null);

    /// <summary>The error with the problems to fix, unwrapped from Cake's exceptions; null for none.</summary>
    public MeshTrustException? Fault => FaultOf(_fault);

    /// <summary>The exit code of the process, as <see cref="MeshTrustHost.Run"/> documents it.</summary>
    public int ExitCode(int cakeExitCode)
    {
        if (cakeExitCode == 0) return Code;
        if (cancellation.ExitCode is { } cancelled) return cancelled;
        if (Fault is { } fault) return (int)fault.Stage;

        // No task ran: Cake itself rejected the command line (an unknown target, a malformed option).
        return _fault is null ? (int)Stage.Input : UnknownFaultCode;
    }

    /// <summary>The problem to add if Cake itself rejected the command line, which it reports without an id; null otherwise.</summary>
    public Problem? Refusal(int cakeExitCode, IReadOnlyList<string> args)
    {
        if (cakeExitCode == 0 || _fault is not null || cancellation.ExitCode is not null) return null;
        var targets = CakeCommandLine.TargetsOf(Assembly.GetEntryAssembly(), typeof(RunOutcome).Assembly);
        var asked = CakeCommandLine.Targets(args).FirstOrDefault(name => !targets.Contains(name, StringComparer.OrdinalIgnoreCase));
        var nearest = asked is null ? null : NearestName.Find(asked, targets);
        return new Problem("MT0017", "command line",
            "Cake cannot parse the command line, or the target does not exist; see its error above."
            + (nearest is null ? "" : $" Did you mean --target={nearest}?"),
            "List targets with --description and options with --help. Write options as --name=value.");
    }

    private static MeshTrustException? FaultOf(Exception? exception) => exception switch
    {
        null => null,
        MeshTrustException fault => fault,
        AggregateException many => many.InnerExceptions.Select(FaultOf).FirstOrDefault(fault => fault is not null),
        _ => FaultOf(exception.InnerException),
    };
}

/// <summary>
/// Ends a run cleanly: Cake hands no token to tasks and ends the process on Ctrl-C without its teardown, so MeshTrust has a token of its
/// own. The first SIGINT, SIGTERM or SIGHUP cancels it; a second one ends the process at once, like the default handler.
/// </summary>
internal sealed class RunCancellation : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private Timer? _timer;
    private int _exitCode;

    /// <summary>Cancelled by the first signal or at the end of the time limit.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP, 124 at the time limit; null while nothing happened.</summary>
    public int? ExitCode => Volatile.Read(ref _exitCode) is var code and not 0 ? code : null;

    /// <summary>Why the run was stopped, as a sentence; null while it was not.</summary>
    public string? Cause => ExitCode switch
    {
        null => null,
        124 => "The run reached its time limit (--timeout).",
        129 => "The terminal was closed (SIGHUP).",
        130 => "Stopped by Ctrl-C (SIGINT).",
        _ => "Stopped by another process (SIGTERM).",
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

    /// <summary>Marks the stop as expected, not as a failure: for a target that runs until Ctrl-C.</summary>
    public void Forgive() => Volatile.Write(ref _exitCode, 0);

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
