using System.Text.Json.Serialization;

namespace MeshTrust.Checks;

/// <summary>One named rule: a row in a table of checks. It looks at a reading and at nothing else.</summary>
/// <param name="Id">The id: it never changes its meaning.</param>
/// <param name="Title">What holds where it passes, as people say it, without a full stop.</param>
/// <param name="Source">Where the rule comes from: an RFC section, a file of Istio, an issue.</param>
internal sealed record Check<TReading>(string Id, string Title, string Source)
{
    /// <summary>Everything that is wrong. A finding without an id of its own gets the check's.</summary>
    public required Func<TReading, IEnumerable<Finding>> Inspect { get; init; }

    /// <summary>Why it does not look; null where it does.</summary>
    public Func<TReading, Skip?> Skip { get; init; } = _ => null;

    /// <summary>What was measured and what is needed, as a clause; null for a rule that measures nothing.</summary>
    public Func<TReading, string?> Measure { get; init; } = _ => null;

    /// <summary>What the reading lacks and this check reports, once for all that need it.</summary>
    public Func<TReading, IEnumerable<Finding>> Unread { get; init; } = _ => [];

    /// <summary>The clusters that it cannot look at.</summary>
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
        // A fault in one check must not hide what the others found, and must not pass for a pass.
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            findings.Add(Finding.OfMesh(
                Severity.Error,
                $"The check {Id} itself ended in {fault.GetType().Name}, so this rule is not proven.",
                "This is a defect of MeshTrust: please report it with the version and this line."));
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

/// <summary>Why a check does not look.</summary>
internal sealed record Skip(CheckOutcome Outcome, string Reason)
{
    public static Skip NotApplicable(string reason) => new(CheckOutcome.NotApplicable, reason);

    public static Skip Unread(string reason) => new(CheckOutcome.CouldNotCheck, reason);
}

/// <summary>How a check ended.</summary>
public enum CheckOutcome
{
    /// <summary>It looked, and the rule holds.</summary>
    Passed,

    /// <summary>It had nothing to look at.</summary>
    NotApplicable,

    /// <summary>The rule holds, with warnings.</summary>
    Warned,

    /// <summary>Something that it needs could not be read.</summary>
    CouldNotCheck,

    /// <summary>The rule is broken.</summary>
    Failed,
}

/// <summary>What one check said.</summary>
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

    /// <summary>Why it did not look, or what was measured; null where there is nothing to add.</summary>
    public string? Note { get; init; }

    /// <summary>The clusters that it could not look at.</summary>
    public IReadOnlyList<UncheckedCluster> Unchecked { get; init; } = [];

    /// <summary>What it found: errors first, then in a stable order.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];
}

/// <summary>A cluster that a check could not look at.</summary>
/// <param name="Cluster">The cluster's name.</param>
/// <param name="Reason">Why, without a full stop.</param>
/// <param name="Unread">True where it was there but could not be read; false where there is nothing to look at.</param>
public sealed record UncheckedCluster(string Cluster, string Reason, bool Unread);

/// <summary>One thing that a check found. Its texts hold no key material.</summary>
public sealed record Finding : Problem
{
    internal Finding(Problem problem)
        : base(problem)
    {
    }

    /// <summary>The cluster that it concerns; null where it concerns the mesh, a file or the machine.</summary>
    [JsonPropertyOrder(1)]
    public string? Cluster { get; init; }

    /// <summary>The other cluster of a pair; null where there is none.</summary>
    [JsonPropertyOrder(1)]
    public string? Peer { get; init; }

    /// <summary>Whether this says that something could not be looked at, rather than that it is wrong.</summary>
    [JsonPropertyOrder(1)]
    public bool CouldNotCheck { get; init; }

    internal static Finding OfMesh(Severity severity, string message, string hint) =>
        new(new Problem("", "mesh", message, hint, severity));

    /// <summary>The same of a cluster, or of a pair of clusters.</summary>
    internal Finding In(string cluster, string? peer = null) =>
        this with { Location = peer is null || peer == cluster ? cluster : $"{cluster} -> {peer}", Cluster = cluster, Peer = peer };
}
