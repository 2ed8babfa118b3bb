using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>The whole flow on two embedded clusters if nothing has to change.</summary>
internal sealed class UnchangedVerify(MeasuredHost host) : IMeasurement
{
    public string Name => "unchanged-verify";

    public string What => "an unchanged Verify of 2 embedded clusters";

    public int Runs => 15;

    public bool ByDefault => true;

    public async Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken)
    {
        using var work = new TemporaryDirectory();
        await ChildProcess.RunAsync(host.Run("Verify", work.Location), cancellationToken).ConfigureAwait(false);
        // The first run may have to compile the build program.
        if (!OperatingSystem.IsWindows()) await ChildProcess.RunAsync(host.RunThroughEntry("Verify", work.Location), cancellationToken).ConfigureAwait(false);

        List<ChildRun> direct = [], throughEntry = [];
        for (var i = 0; i < runs; i++)
        {
            direct.Add(await ChildProcess.RunAsync(host.Run("Verify", work.Location), cancellationToken).ConfigureAwait(false));
            if (!OperatingSystem.IsWindows()) throughEntry.Add(await ChildProcess.RunAsync(host.RunThroughEntry("Verify", work.Location), cancellationToken).ConfigureAwait(false));
        }

        var rows = new List<ResultRow> { new() { What = "unchanged Verify, 2 clusters: Build.dll", Ours = new Samples(direct.Select(run => run.Wall)), Aim = 1 } };
        if (throughEntry.Count > 0) rows.Add(new() { What = "unchanged Verify, 2 clusters: ./build.sh", Ours = new Samples(throughEntry.Select(run => run.Wall)), Aim = 1 });
        if (direct.All(run => run.Cpu is not null)) rows.Add(new() { What = "- processor time of Build.dll", Ours = new Samples(direct.Select(run => run.Cpu!.Value)) });
        return rows;
    }
}
