using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>What one repetition took.</summary>
/// <param name="Wall">Elapsed time.</param>
/// <param name="Cpu">Processor time; null if the system does not report it.</param>
internal sealed record Effort(TimeSpan Wall, TimeSpan? Cpu)
{
    public static Effort Of(ChildRun run) => new(run.Wall, run.Cpu);

    /// <summary>A row for elapsed time, which has the target, and one for processor time, which a busy machine affects less.</summary>
    public static IReadOnlyList<ResultRow> Rows(string what, IReadOnlyList<Effort> ours, IReadOnlyList<Effort> theirs, string against, double aim)
    {
        var rows = new List<ResultRow>
        {
            new()
            {
                What = what,
                Ours = new Samples(ours.Select(effort => effort.Wall)),
                Theirs = theirs.Count == 0 ? null : new Samples(theirs.Select(effort => effort.Wall)),
                Against = against,
                IsRatio = true,
                Aim = aim,
            },
        };
        if (ours[0].Cpu is not null)
        {
            rows.Add(new()
            {
                What = "- its processor time",
                Ours = new Samples(ours.Select(effort => effort.Cpu!.Value)),
                Theirs = theirs.Count == 0 ? null : new Samples(theirs.Select(effort => effort.Cpu!.Value)),
                Against = against,
                IsRatio = true,
            });
        }

        return rows;
    }
}
