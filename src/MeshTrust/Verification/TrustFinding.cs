namespace MeshTrust.Verification;

/// <summary>One thing that a check found. Its texts hold no key material.</summary>
public sealed record TrustFinding
{
    /// <summary>The check's id, for instance <c>MT5001</c>.</summary>
    public required string Id { get; init; }

    /// <summary>How much it weighs.</summary>
    public required Severity Severity { get; init; }

    /// <summary>The cluster that it concerns; null where it concerns the mesh or a file.</summary>
    public string? Cluster { get; init; }

    /// <summary>The other cluster of a pair; null where there is none.</summary>
    public string? Peer { get; init; }

    /// <summary>What is wrong, as a sentence with a full stop.</summary>
    public required string Message { get; init; }

    /// <summary>What to do, as a sentence with a full stop.</summary>
    public required string Hint { get; init; }

    /// <summary>Whether this says that something could not be looked at, rather than that it is wrong.</summary>
    public bool CouldNotCheck { get; init; }

    /// <summary>The same as a problem, for the place where problems are told.</summary>
    public Problem ToProblem() => new(Id, Cluster is null ? "mesh" : Peer is null || Peer == Cluster ? Cluster : $"{Cluster} -> {Peer}",
        Message,
        Hint,
        Severity);

    /// <summary>The line that people see.</summary>
    public override string ToString() => ToProblem().ToString();
}
