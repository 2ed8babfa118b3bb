namespace MeshTrust.Benchmarks.Processes;

/// <summary>The time and memory of a process that exited with code 0.</summary>
internal sealed record ChildRun
{
    /// <summary>From just before its start to after its end.</summary>
    public required TimeSpan Wall { get; init; }

    /// <summary>User and system time of the process and those that it waited for; null if the system does not report it.</summary>
    public required TimeSpan? Cpu { get; init; }

    /// <summary>The peak resident memory, in bytes; null if it was not requested or the system does not report it.</summary>
    public long? PeakMemory { get; init; }

    /// <summary>From the start to the awaited line; null if it never came.</summary>
    public TimeSpan? UntilLine { get; init; }

    /// <summary>Standard output.</summary>
    public required string Output { get; init; }
}
