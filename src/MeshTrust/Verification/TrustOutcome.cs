namespace MeshTrust.Verification;

/// <summary>How a verification ended.</summary>
public enum TrustOutcome
{
    /// <summary>Trust is proven, and nothing is to be said against it.</summary>
    Passed,

    /// <summary>Trust is proven, and there are warnings.</summary>
    PassedWithWarnings,

    /// <summary>Something could not be read, so nothing is proven; what could be read is fine.</summary>
    CouldNotCheck,

    /// <summary>At least one rule is broken.</summary>
    Failed,
}
