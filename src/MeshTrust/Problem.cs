namespace MeshTrust;

/// <summary>How much a <see cref="Problem"/> matters.</summary>
public enum Severity
{
    /// <summary>It works, and someone should know.</summary>
    Warning,

    /// <summary>It does not work, or will stop working.</summary>
    Error,
}

/// <summary>One thing that is wrong and how to fix it.</summary>
/// <remarks>The text holds no key material, no token and no password. Every code has a row in docs/problems.md.</remarks>
/// <param name="Id">The code, such as <c>MT0102</c>. It never changes its meaning.</param>
/// <param name="Location">Where: <c>file:line</c>, an argument such as <c>--clusters</c>, a variable, or a cluster's name.</param>
/// <param name="Message">What is wrong: a sentence with a full stop.</param>
/// <param name="Hint">How to fix it: a sentence with a full stop.</param>
/// <param name="Severity">Whether the run can continue.</param>
public record Problem(string Id, string Location, string Message, string Hint, Severity Severity = Severity.Error)
{
    /// <summary>The line that people see.</summary>
    public sealed override string ToString() => $"{Id} {Location}: {Message} {Hint}";
}
