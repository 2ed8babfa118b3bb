namespace MeshTrust;

/// <summary>How much a <see cref="Problem"/> or a finding weighs.</summary>
public enum Severity
{
    /// <summary>It works now, and somebody should know.</summary>
    Warning,

    /// <summary>It does not work, or it will not.</summary>
    Error,
}
