using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace MeshTrust.Tests.Tools;

/// <summary>
/// Interrupts the thread that created it when the time is up: any wait in managed code (a lock, a task, a process, a sleep) ends with an
/// exception, so that what the test started is disposed. A thread that computes, or waits in the kernel, is not interrupted; then the process ends.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "End does it.")]
internal sealed class DeadlineWatch
{
    private static readonly TimeSpan UsualGrace = TimeSpan.FromSeconds(20);

    private readonly Thread _thread = Thread.CurrentThread;
    private readonly Lock _lock = new();
    private readonly string _verdict;
    private readonly Action<string> _giveUp;
    private readonly Timer _timer;
    private bool _interrupted;
    private bool _ended;

    public DeadlineWatch(string name, TimeSpan limit)
        : this(name, limit, UsualGrace, EndTheProcess)
    {
    }

    public DeadlineWatch(string name, TimeSpan limit, TimeSpan grace, Action<string> giveUp)
    {
        _verdict = $"{name} did not end within {limit.TotalSeconds:0.###} s.";
        _giveUp = giveUp;
        // Without the context of the test: what the timer writes must not become part of the test's output, which nobody would see.
        using (ExecutionContext.SuppressFlow()) _timer = new Timer(_ => Act(), null, limit, grace);
    }

    /// <summary>Called on the same thread at the end; fails if that is too late.</summary>
    public void End()
    {
        lock (_lock) _ended = true;
        _timer.Dispose();
        if (!_interrupted) return;
        try
        {
            // It may have ended without another wait; the interrupt must not affect the next test.
            Thread.Sleep(1);
        }
        catch (ThreadInterruptedException)
        {
        }

        Assert.Fail(_verdict);
    }

    private void Act()
    {
        lock (_lock)
        {
            if (_ended) return;
            if (!_interrupted)
            {
                _interrupted = true;
                _thread.Interrupt();
                return;
            }
        }

        _giveUp($"{_verdict} It cannot be interrupted, so the whole run ends here.");
    }

    private static void EndTheProcess(string message)
    {
        using (var error = new StreamWriter(Console.OpenStandardError())) error.WriteLine(message);
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }
}
