namespace MeshTrust.Checks;

/// <summary>How the rows about the machine are made.</summary>
internal static class MachineCheck
{
    /// <summary>A row of the table.</summary>
    /// <param name="id">The id: it never changes its meaning.</param>
    /// <param name="title">What is looked at.</param>
    /// <param name="source">Where the rule comes from.</param>
    /// <param name="measure">What was measured and what is needed, as a clause.</param>
    /// <param name="inspect">Finds what is wrong. A problem without an id gets the check's; those of the plans bring their own.</param>
    /// <param name="skip">Why it does not look, or null.</param>
    /// <param name="needsEngine">Whether it needs the engine's answer: without it the row says that it could not look.</param>
    public static Check<PreflightReading> Row(
        string id,
        string title,
        string source,
        Func<PreflightReading, string> measure,
        Func<PreflightReading, IEnumerable<Problem>> inspect,
        Func<PreflightReading, Skip?>? skip = null,
        bool needsEngine = true) => new(id, title, source)
        {
            Measure = measure,
            Inspect = reading => inspect(reading).Select(problem => new Finding(problem)),
            Skip = reading => needsEngine && reading.Engine is null ? Skip.Unread("the engine does not answer") : skip?.Invoke(reading),
        };

    /// <summary>A problem that would make the run fail.</summary>
    public static Problem Error(string location, string message, string hint) => new("", location, message, hint);

    /// <summary>A problem that someone should know.</summary>
    public static Problem Warning(string location, string message, string hint) => new("", location, message, hint, Severity.Warning);

    /// <summary>Leaves out the check where this holds.</summary>
    public static Skip? NotApplicableIf(bool holds, string reason) => holds ? Skip.NotApplicable(reason) : null;

    /// <summary>Says that the check could not look where this holds.</summary>
    public static Skip? UnreadIf(bool holds, string reason) => holds ? Skip.Unread(reason) : null;

    public static Skip? NoNewNode(PreflightReading reading) => NotApplicableIf(reading.NewNodes == 0, "no node is new");
}
