namespace MeshTrust;

/// <summary>An error that a user can fix. Its message is enough to act on: no stack trace is needed.</summary>
public sealed class MeshTrustException : Exception
{
    /// <summary>A fault with all problems that were found.</summary>
    /// <exception cref="ArgumentException">The list is empty.</exception>
    public MeshTrustException(Stage stage, IReadOnlyList<Problem> problems, Exception? innerException = null)
        : base(Describe(problems), innerException)
    {
        Stage = stage;
        Problems = problems;
    }

    /// <summary>A fault with one problem.</summary>
    public MeshTrustException(Stage stage, Problem problem, Exception? innerException = null)
        : this(stage, [problem], innerException)
    {
    }

    /// <summary>The part of the run that failed, and with it the exit code.</summary>
    public Stage Stage { get; }

    /// <summary>Every problem, at least one.</summary>
    public IReadOnlyList<Problem> Problems { get; }

    private static string Describe(IReadOnlyList<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (problems.Count == 0) throw new ArgumentException("A fault needs at least one problem.", nameof(problems));
        return string.Join(Environment.NewLine, problems);
    }
}
