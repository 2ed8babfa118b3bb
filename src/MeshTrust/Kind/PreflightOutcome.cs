namespace MeshTrust.Kind;

/// <summary>How a check of the machine ended.</summary>
public enum PreflightOutcome
{
    /// <summary>It looked, and there is what is needed.</summary>
    Passed,

    /// <summary>It had nothing to look at.</summary>
    NotApplicable,

    /// <summary>What it looks at could not be read.</summary>
    Unknown,

    /// <summary>The run can go on, and somebody should know.</summary>
    Warned,

    /// <summary>The run would fail.</summary>
    Failed,
}
