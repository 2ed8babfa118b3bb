namespace MeshTrust.Benchmarks.Processes;

/// <summary>What a process took that ended with exit code 0.</summary>
internal sealed record ChildRun
{
    /// <summary>From just before its start to after its end.</summary>
    public required TimeSpan Wall { get; init; }

    /// <summary>User and system time of the process and those that it waited for; null where the system does not tell.</summary>
    public required TimeSpan? Cpu { get; init; }

    /// <summary>The most memory that was resident, in bytes; null where it was not asked for or the system does not tell.</summary>
    public long? PeakMemory { get; init; }

    /// <summary>From the start to the awaited line; null where it never came.</summary>
    public TimeSpan? UntilLine { get; init; }

    /// <summary>Standard output.</summary>
    public required string Output { get; init; }
}
