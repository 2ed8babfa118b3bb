namespace MeshTrust.Kind;

/// <summary>One rule about the machine and its container engine, looked at before the first cluster is made. It reads a reading and nothing else.</summary>
public abstract class PreflightCheck
{
    /// <summary>The id: it never changes its meaning.</summary>
    public abstract string Id { get; }

    /// <summary>What is looked at, without a full stop.</summary>
    public abstract string Title { get; }

    /// <summary>Whether it needs the engine's answer: without it the row says that it could not look.</summary>
    public virtual bool NeedsEngine => true;

    /// <summary>Why this check has nothing to look at; null where it has.</summary>
    public virtual string? NotApplicable(PreflightReading reading) => null;

    /// <summary>Why it could not look; null where it could.</summary>
    public virtual string? Unread(PreflightReading reading) => null;

    /// <summary>What was measured and what is needed, as a clause.</summary>
    public abstract string Measured(PreflightReading reading);

    /// <summary>Everything that is wrong. Nothing means that there is what is needed.</summary>
    public abstract IEnumerable<Problem> Inspect(PreflightReading reading);

    /// <summary>A problem that would make the run fail.</summary>
    protected Problem Error(string place, string what, string remedy) => New(Id, Severity.Error, place, what, remedy);

    /// <summary>A problem that somebody should know of.</summary>
    protected Problem Warning(string place, string what, string remedy) => New(Id, Severity.Warning, place, what, remedy);

    /// <summary>A problem with an id of its own: for a check with more than one way to fail.</summary>
    protected static Problem New(string id, Severity severity, string place, string what, string remedy) =>
        new(id, place, what, remedy, severity);
}
