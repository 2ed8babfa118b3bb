using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>What one repetition took.</summary>
/// <param name="Wall">By the clock.</param>
/// <param name="Cpu">Of all processors; null where the system does not tell.</param>
internal sealed record Effort(TimeSpan Wall, TimeSpan? Cpu)
{
    public static Effort Of(ChildRun run) => new(run.Wall, run.Cpu);

    /// <summary>A row for the clock, which has the aim, and one for the processors, which a busy machine disturbs less.</summary>
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
