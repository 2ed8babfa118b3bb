namespace MeshTrust.Tests.Live;

/// <summary>One broken input of a whole run, and how it must be rejected.</summary>
/// <param name="Name">What is broken.</param>
/// <param name="ExitCode">The expected exit code.</param>
/// <param name="Ids">The ids, at least one of which must be reported.</param>
internal sealed record BrokenRun(string Name, int ExitCode, params string[] Ids)
{
    /// <summary>The command line.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Variables; <c>{dir}</c> stands for the run's directory.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Writes the user's files.</summary>
    public Action<ScratchDirectory> Files { get; init; } = _ => { };

    public override string ToString() => Name;
}
