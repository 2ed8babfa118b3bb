namespace MeshTrust.Benchmarks.Processes;

/// <summary>A process to start.</summary>
/// <param name="File">The program's path.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="WorkingDirectory">Where it runs.</param>
internal sealed record ChildCommand(string File, IReadOnlyList<string> Arguments, string WorkingDirectory)
{
    /// <summary>After this the process is killed and the measurement has failed.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A line of output to measure the time of; null for none.</summary>
    public string? AwaitedLine { get; init; }

    /// <summary>Whether to measure peak memory: it is sampled, which takes a little time.</summary>
    public bool SamplesMemory { get; init; }

    public override string ToString() => $"{Path.GetFileName(File)} {string.Join(' ', Arguments)}";
}
