using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>The whole flow on a hundred embedded clusters, with P-256 so that keys take little time: from scratch, and again unchanged.</summary>
internal sealed class HundredPushes(MeasuredHost host) : IMeasurement
{
    private const int Clusters = 100;

    public string Name => "hundred-pushes";

    public string What => $"from nothing to proven trust on {Clusters} embedded clusters, P-256";

    public int Runs => 3;

    public bool ByDefault => true;

    public async Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken)
    {
        List<ChildRun> first = [], again = [];
        for (var i = 0; i < runs; i++)
        {
            using var work = new TemporaryDirectory();
            var command = host.Run("Verify", work.Location, $"--clusters={Clusters}", "--rootca-keysz=p256", "--intermediate-keysz=p256") with { SamplesMemory = true };
            first.Add(await ChildProcess.RunAsync(command, cancellationToken).ConfigureAwait(false));
            again.Add(await ChildProcess.RunAsync(command, cancellationToken).ConfigureAwait(false));
        }

        var rows = new List<ResultRow>
        {
            new() { What = $"{Clusters} embedded clusters: issue, push, verify", Ours = new Samples(first.Select(run => run.Wall)) },
            new() { What = "- again, unchanged", Ours = new Samples(again.Select(run => run.Wall)) },
        };
        if (first.All(run => run.PeakMemory is not null))
            rows.Add(new() { What = "- peak memory of the first run, servers included", Unit = Unit.Megabytes, Ours = new Samples(first.Select(run => (double)run.PeakMemory!.Value)) });
        return rows;
    }
}
