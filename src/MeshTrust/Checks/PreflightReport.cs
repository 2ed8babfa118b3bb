using MeshTrust.IO;

namespace MeshTrust.Checks;

/// <summary>Every check of the machine, all at once: one that fails hides none of the others.</summary>
internal sealed record PreflightReport(string Mesh, IReadOnlyList<CheckReport> Rows)
{
    /// <summary>In the order in which people would look: the engine, the machine, the image, the network, the clusters.</summary>
    public static IReadOnlyList<Check<PreflightReading>> Checks { get; } =
        [.. EngineChecks.Rows, .. HostChecks.Rows, .. ClusterChecks.Rows, .. NetworkChecks.Rows, ClusterChecks.Leftovers];

    /// <summary>All problems, in the order of the rows.</summary>
    public IEnumerable<Finding> Problems => Rows.SelectMany(r => r.Findings);

    public int Errors => Problems.Count(p => p.Severity == Severity.Error);

    public int Warnings => Problems.Count(p => p.Severity == Severity.Warning);

    /// <summary>The whole as a sentence, with the figures.</summary>
    public string Verdict
    {
        get
        {
            var parts = Rows.GroupBy(r => r.Outcome).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key switch
            {
                CheckOutcome.Passed => "passed",
                CheckOutcome.NotApplicable => "not applicable",
                CheckOutcome.CouldNotCheck => "could not look",
                CheckOutcome.Warned => "with warnings",
                _ => "failed",
            }}");
            var end = Errors > 0 ? $"Nothing was started: {Text.Count(Errors, "error")} to mend first." : "The run can go on.";
            return $"{Text.Count(Rows.Count, "check")} of this machine for {Mesh}: {string.Join(", ", parts)}. {end}";
        }
    }

    /// <summary>Makes every check. Pure: the same reading gives the same report.</summary>
    public static PreflightReport For(PreflightReading reading) =>
        new(reading.Topology.Name, [.. Checks.Select(check => check.Run(reading))]);

    /// <summary>The errors as a fault of stage <see cref="Stage.Preflight"/>; null where there is none. Warnings stop nothing.</summary>
    public MeshTrustException? ToFault() =>
        Errors == 0 ? null : new MeshTrustException(Stage.Preflight, [.. Problems.Where(p => p.Severity == Severity.Error)]);
}

/// <summary>How the rows about the machine are made.</summary>
internal static class MachineCheck
{
    /// <summary>
    /// A row of the table. A problem without an id gets the check's; those of the plans bring their own. Without the engine's answer, a
    /// row that needs it says that it could not look.
    /// </summary>
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

    public static Skip? NotApplicableIf(bool holds, string reason) => holds ? Skip.NotApplicable(reason) : null;

    public static Skip? UnreadIf(bool holds, string reason) => holds ? Skip.Unread(reason) : null;

    public static Skip? NoNewNode(PreflightReading reading) => NotApplicableIf(reading.NewNodes == 0, "no node is new");
}
