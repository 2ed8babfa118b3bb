namespace MeshTrust.Kubernetes;

/// <summary>When to ask again. Pure: the dice are given.</summary>
internal static class Backoff
{
    /// <summary>Tries for faults that may well be lasting: a refused connection, a name that is not there yet, a 500.</summary>
    internal const int PatientTries = 7;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    /// <summary>The pause after a try.</summary>
    /// <param name="first">The pause after the first try.</param>
    /// <param name="tries">How many tries there were, at least one.</param>
    /// <param name="retryAfter">What the server asked for; it is never undercut.</param>
    /// <param name="dice">0 to 1: the pause is 50 to 100 percent of the full one, so that many clients do not come back at once.</param>
    internal static TimeSpan Pause(TimeSpan first, int tries, TimeSpan? retryAfter, double dice)
    {
        var full = TimeSpan.FromTicks(Math.Min(Longest.Ticks, (long)(first.Ticks * Math.Pow(2, Math.Min(tries - 1, 20)))));
        var pause = full * (0.5 + dice / 2);
        return retryAfter is { } asked && asked > pause ? asked : pause;
    }

    /// <summary>Whether a fault is worth another try; one that the server itself calls passing is, until the deadline.</summary>
    internal static bool IsWorthIt(int tries, bool passing) => passing || tries < PatientTries;
}
