using System.Reflection;
using MeshTrust;
using MeshTrust.IO;

namespace Cake.Frosting.MeshTrust;

/// <summary>
/// What a run ended with. Cake turns every fault into one exit code and hands none of ours on,
/// so the host records the fault at its teardown and asks here for the code.
/// </summary>
public sealed class RunOutcome(RunCancellation cancellation)
{
    private Exception? _fault;

    /// <summary>Remembers the first fault.</summary>
    public void Record(Exception? fault) => Interlocked.CompareExchange(ref _fault, fault, null);

    /// <summary>The fault that a person can mend, found inside whatever Cake wrapped around it; null for none.</summary>
    public MeshTrustException? Fault => FaultOf(_fault);

    /// <summary>The exit code of the process.</summary>
    /// <param name="cakeExitCode">What <c>CakeHost.Run</c> returned.</param>
    /// <returns>
    /// 0 ok; 1 unclassified; 2 usage or topology; 3 preflight; 4 clusters; 5 contexts; 6 load balancer; 7 CA material; 8 push; 9 verify;
    /// 124 time limit; 129, 130, 143 after SIGHUP, SIGINT, SIGTERM.
    /// </returns>
    public int ExitCode(int cakeExitCode)
    {
        if (cakeExitCode == 0) return 0;
        if (cancellation.ExitCode is { } cancelled) return cancelled;
        if (Fault is { } fault) return (int)fault.Stage;

        // No task ran: Cake itself refused the command line (an unknown target, a malformed option).
        return _fault is null ? (int)Stage.Input : 1;
    }

    /// <summary>What to add where Cake itself refused the command line, in words of its own and without an id; null otherwise.</summary>
    /// <param name="cakeExitCode">What <c>CakeHost.Run</c> returned.</param>
    /// <param name="args">The command line.</param>
    public Problem? Refusal(int cakeExitCode, IReadOnlyList<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (cakeExitCode == 0 || _fault is not null || cancellation.ExitCode is not null) return null;
        var targets = TargetNames.Of(Assembly.GetEntryAssembly(), typeof(RunOutcome).Assembly);
        var asked = TargetNames.AskedFor(args).FirstOrDefault(name => !targets.Contains(name, StringComparer.OrdinalIgnoreCase));
        var nearest = asked is null ? null : NearestName.Find(asked, targets);
        return new Problem("MT0017", "command line",
            "Cake cannot read it, or knows no such target; its own words stand above." + (nearest is null ? "" : $" Did you mean --target={nearest}?"),
            "--description lists the targets, --help the options; an option is written --name=value.");
    }

    private static MeshTrustException? FaultOf(Exception? exception) => exception switch
    {
        null => null,
        MeshTrustException fault => fault,
        AggregateException many => many.InnerExceptions.Select(FaultOf).FirstOrDefault(fault => fault is not null),
        _ => FaultOf(exception.InnerException),
    };
}
