namespace MeshTrust.Benchmarks.Measurements;

/// <summary>A measurement of whole processes.</summary>
internal interface IMeasurement
{
    /// <summary>The name for <c>--filter</c>.</summary>
    string Name { get; }

    /// <summary>A description, as a clause.</summary>
    string What { get; }

    /// <summary>The default number of runs.</summary>
    int Runs { get; }

    /// <summary>Whether it runs by default.</summary>
    bool ByDefault { get; }

    /// <summary>Measures.</summary>
    /// <exception cref="Processes.ChildFailedException">A measured process failed.</exception>
    Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken);
}
