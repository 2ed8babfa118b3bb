using System.Text.Json.Serialization;

namespace MeshTrust.Checks;

/// <summary>One named rule: a row in a table of checks. It inspects a reading and nothing else.</summary>
/// <param name="Id">The id: it never changes its meaning.</param>
/// <param name="Title">What is true if the check passes, without a full stop.</param>
/// <param name="Source">Where the rule comes from: an RFC section, a file of Istio, an issue.</param>
internal sealed record Check<TReading>(string Id, string Title, string Source)
{
    /// <summary>Returns everything that is wrong. A finding without an id gets the check's id.</summary>
    public required Func<TReading, IEnumerable<Finding>> Inspect { get; init; }

    /// <summary>Why the check is skipped; null if it runs.</summary>
    public Func<TReading, Skip?> Skip { get; init; } = _ => null;

    /// <summary>What was measured and what is required, as a clause; null if the rule measures nothing.</summary>
    public Func<TReading, string?> Measure { get; init; } = _ => null;

    /// <summary>Findings for missing parts of the reading that this check reports on behalf of all checks that need them.</summary>
    public Func<TReading, IEnumerable<Finding>> Unread { get; init; } = _ => [];

    public Func<TReading, IReadOnlyList<UncheckedCluster>> Unchecked { get; init; } = _ => [];

    public CheckReport Run(TReading reading)
    {
        var findings = Unread(reading).ToList();
        var lacking = Unchecked(reading);
        Skip? skip = null;
        string? note = null;
        try
        {
            skip = Skip(reading);
            note = skip?.Reason;
            if (skip is null)
            {
                findings.AddRange(Inspect(reading));
                note = Measure(reading);
            }
        }
        // An exception in one check must not hide the findings of the others, and must not count as passed.
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            findings.Add(Finding.OfMesh(Severity.Error,
                $"Check {Id} failed with an internal {fault.GetType().Name}, so this rule was not verified.",
                "This is a bug in MeshTrust. Report it with the version and this line."));
        }

        return new CheckReport
        {
            Id = Id,
            Title = Title,
            Source = Source,
            Outcome = findings.Any(f => f is { Severity: Severity.Error, CouldNotCheck: false }) ? CheckOutcome.Failed
                : findings.Any(f => f.CouldNotCheck) || lacking.Any(u => u.Unread) ? CheckOutcome.CouldNotCheck
                : skip is not null ? skip.Outcome
                : findings.Count > 0 ? CheckOutcome.Warned
                : CheckOutcome.Passed,
            Note = note,
            Unchecked = skip is null ? lacking : [.. lacking.Where(u => u.Unread)],
            Findings = [.. findings.OrderByDescending(f => f.Severity).Select(f => f.Id.Length == 0 ? f with { Id = Id } : f)],
        };
    }
}

internal sealed record Skip(CheckOutcome Outcome, string Reason)
{
    public static Skip NotApplicable(string reason) => new(CheckOutcome.NotApplicable, reason);

    public static Skip Unread(string reason) => new(CheckOutcome.CouldNotCheck, reason);
}

/// <summary>How a check ended.</summary>
public enum CheckOutcome
{
    /// <summary>The rule is met.</summary>
    Passed,

    /// <summary>There was nothing to check.</summary>
    NotApplicable,

    /// <summary>The rule is met, with warnings.</summary>
    Warned,

    /// <summary>Something the check needs could not be read.</summary>
    CouldNotCheck,

    /// <summary>The rule is broken.</summary>
    Failed,
}

/// <summary>The result of one check.</summary>
public sealed record CheckReport
{
    /// <summary>The check's id.</summary>
    public required string Id { get; init; }

    /// <summary>The check's title.</summary>
    public required string Title { get; init; }

    /// <summary>Where the rule comes from.</summary>
    [JsonPropertyName("citation")]
    public required string Source { get; init; }

    /// <summary>How it ended.</summary>
    public required CheckOutcome Outcome { get; init; }

    /// <summary>Why it was skipped, or what was measured; null if there is nothing to add.</summary>
    public string? Note { get; init; }

    /// <summary>The clusters that it could not check.</summary>
    public IReadOnlyList<UncheckedCluster> Unchecked { get; init; } = [];

    /// <summary>Its findings: errors first, then in a stable order.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>The number of checks with each outcome, such as <c>20 passed, 1 failed</c>.</summary>
    internal static string Counts(IEnumerable<CheckReport> checks) =>
        string.Join(", ", checks.GroupBy(c => c.Outcome).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key switch
        {
            CheckOutcome.Passed => "passed",
            CheckOutcome.NotApplicable => "not applicable",
            CheckOutcome.Warned => "with warnings",
            CheckOutcome.CouldNotCheck => "could not be checked",
            _ => "failed",
        }}"));
}

/// <summary>A cluster that a check could not inspect.</summary>
/// <param name="Cluster">The cluster's name.</param>
/// <param name="Reason">Why, without a full stop.</param>
/// <param name="Unread">True if the data exists but could not be read; false if there is nothing to check.</param>
public sealed record UncheckedCluster(string Cluster, string Reason, bool Unread);

/// <summary>One finding of a check. Its texts contain no key material.</summary>
public sealed record Finding : Problem
{
    internal Finding(Problem problem)
        : base(problem)
    {
    }

    /// <summary>The cluster it concerns; null if it concerns the mesh, a file or the machine.</summary>
    [JsonPropertyOrder(1)]
    public string? Cluster { get; init; }

    /// <summary>The other cluster of a pair; null if there is none.</summary>
    [JsonPropertyOrder(1)]
    public string? Peer { get; init; }

    /// <summary>True if something could not be checked, rather than being wrong.</summary>
    [JsonPropertyOrder(1)]
    public bool CouldNotCheck { get; init; }

    internal static Finding OfMesh(Severity severity, string message, string hint) =>
        new(new Problem("", "mesh", message, hint, severity));

    /// <summary>The same finding for a cluster, or for a pair of clusters.</summary>
    internal Finding In(string cluster, string? peer = null) =>
        this with { Location = peer is null || peer == cluster ? cluster : $"{cluster} -> {peer}", Cluster = cluster, Peer = peer };
}
