namespace MeshTrust.Settings;

/// <summary>All problems of all sources, in the order in which they were found; bounded, so that a file of nonsense stays readable.</summary>
internal sealed class ProblemCollection
{
    private const int Most = 200;

    private readonly List<Problem> _errors = [];
    private readonly List<Problem> _warnings = [];
    private int _untold;

    /// <summary>Whether the run cannot go on.</summary>
    public bool HasErrors => _errors.Count > 0;

    /// <summary>The warnings.</summary>
    public IReadOnlyList<Problem> Warnings => _warnings;

    /// <summary>The errors; where there were too many, the last one says how many are not shown.</summary>
    public IReadOnlyList<Problem> Errors => _untold == 0
        ? _errors
        : [.. _errors, new Problem("MT0110", _errors[^1].Location, $"{_untold} more problems are not shown.", "Mend these first.")];

    /// <summary>Adds an error.</summary>
    public void Add(string id, string place, string what, string remedy) => Add(new Problem(id, place, what, remedy));

    /// <summary>Adds a warning.</summary>
    public void Warn(string id, string place, string what, string remedy) => Add(new Problem(id, place, what, remedy, Severity.Warning));

    /// <summary>Adds a problem by its severity.</summary>
    public void Add(Problem problem)
    {
        var list = problem.Severity == Severity.Error ? _errors : _warnings;
        if (list.Count < Most) list.Add(problem);
        else if (problem.Severity == Severity.Error) _untold++;
    }
}
