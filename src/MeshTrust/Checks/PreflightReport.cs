using MeshTrust.IO;

namespace MeshTrust.Checks;

/// <summary>The results of a table of checks: a failed check does not hide the others.</summary>
/// <param name="Mesh">The mesh's name.</param>
/// <param name="Rows">The results, in the order in which people would look at them.</param>
internal abstract record ChecksReport(string Mesh, IReadOnlyList<CheckReport> Rows)
{
    /// <summary>The first word of its last line, for <c>grep</c>.</summary>
    public abstract string Word { get; }

    /// <summary>The overall result as a sentence.</summary>
    public abstract string Verdict { get; }

    public IEnumerable<Finding> Problems => Rows.SelectMany(r => r.Findings);
    public int Errors => Problems.Count(p => p.Severity == Severity.Error);
    public int Warnings => Problems.Count(p => p.Severity == Severity.Warning);
}

/// <summary>The results of all machine checks.</summary>
internal sealed record PreflightReport(string Mesh, IReadOnlyList<CheckReport> Rows) : ChecksReport(Mesh, Rows)
{
    public override string Word => "PREFLIGHT";

    /// <summary>In the order that people would check them: the engine, the machine, the image, the network, the clusters.</summary>
    public static IReadOnlyList<Check<PreflightReading>> Checks { get; } =
        [.. EngineChecks.Rows, .. HostChecks.Rows, .. ClusterChecks.Rows, .. NetworkChecks.Rows, ClusterChecks.Leftovers];

    public override string Verdict
    {
        get
        {
            var end = Errors > 0 ? $"Nothing was started: fix {Text.Count(Errors, "error")} first." : "The run can continue.";
            return $"{Text.Count(Rows.Count, "check")} on this machine for {Mesh}: {CheckReport.Counts(Rows)}. {end}";
        }
    }

    /// <summary>Runs every check. Pure: the same reading gives the same report.</summary>
    public static PreflightReport For(PreflightReading reading) =>
        new(reading.Topology.Name, [.. Checks.Select(check => check.Run(reading))]);

    /// <summary>The errors as an exception of stage <see cref="Stage.Preflight"/>; null if there are none. Warnings do not count.</summary>
    public MeshTrustException? ToFault() =>
        Errors == 0 ? null : new MeshTrustException(Stage.Preflight, [.. Problems.Where(p => p.Severity == Severity.Error)]);
}

internal static class MachineCheck
{
    /// <summary>
    /// A row of the table. A problem without an id gets the check's id; problems of the plans have their own. If the engine is not
    /// responding, a row that needs it reports that it could not be checked.
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
            Skip = reading => needsEngine && reading.Engine is null ? Skip.Unread("the engine is not responding") : skip?.Invoke(reading),
        };

    /// <summary>A problem that would make the run fail.</summary>
    public static Problem Error(string location, string message, string hint) => new("", location, message, hint);

    /// <summary>A problem that does not stop the run.</summary>
    public static Problem Warning(string location, string message, string hint) => new("", location, message, hint, Severity.Warning);

    public static Skip? NotApplicableIf(bool holds, string reason) => holds ? Skip.NotApplicable(reason) : null;

    public static Skip? UnreadIf(bool holds, string reason) => holds ? Skip.Unread(reason) : null;

    public static Skip? NoNewNode(PreflightReading reading) => NotApplicableIf(reading.NewNodes == 0, "there are no new nodes");
}
