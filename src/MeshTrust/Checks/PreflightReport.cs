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
