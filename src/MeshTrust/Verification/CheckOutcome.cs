namespace MeshTrust.Verification;

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
