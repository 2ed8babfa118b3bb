namespace MeshTrust.Benchmarks.Measurements;

/// <summary>One thing that is measured in whole processes.</summary>
internal interface IMeasurement
{
    /// <summary>The name for <c>--filter</c>.</summary>
    string Name { get; }

    /// <summary>A clause for people.</summary>
    string What { get; }

    /// <summary>How often it is run where nobody says.</summary>
    int Runs { get; }

    /// <summary>Whether it is run when nobody names it.</summary>
    bool ByDefault { get; }

    /// <summary>Measures.</summary>
    /// <exception cref="Processes.ChildFailedException">A measured process failed.</exception>
    Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken);
}
