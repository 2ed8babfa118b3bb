using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>A root and a thousand intermediates of P-256, whose keys take almost no time: the cost of everything else.</summary>
internal sealed class ThousandClusters(MeasuredHost host) : IMeasurement
{
    private const int Clusters = 1000;

    public string Name => "thousand-clusters";

    public string What => $"root + {Clusters} clusters, P-256";

    public int Runs => 7;

    public bool ByDefault => true;

    public async Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken)
    {
        var ours = new List<ChildRun>();
        for (var i = 0; i < runs; i++)
        {
            using var work = new TemporaryDirectory();
            var command = host.Run("ClusterCacerts", work.Location, $"--clusters={Clusters}", "--rootca-keysz=p256", "--intermediate-keysz=p256");
            ours.Add(await ChildProcess.RunAsync(command with { SamplesMemory = true }, cancellationToken).ConfigureAwait(false));
        }

        var rows = new List<ResultRow> { new() { What = $"root + {Clusters} clusters, P-256", Ours = new Samples(ours.Select(run => run.Wall)), Aim = 2 } };
        if (ours.All(run => run.Cpu is not null)) rows.Add(new() { What = "- its processor time", Ours = new Samples(ours.Select(run => run.Cpu!.Value)) });
        if (ours.All(run => run.PeakMemory is not null))
            rows.Add(new() { What = "- its peak memory", Unit = Unit.Megabytes, Ours = new Samples(ours.Select(run => (double)run.PeakMemory!.Value)), Aim = 300e6 });
        return rows;
    }
}
