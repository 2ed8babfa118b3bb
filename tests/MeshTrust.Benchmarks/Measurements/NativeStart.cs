using MeshTrust.Benchmarks.Planes;
using MeshTrust.ControlPlanes.Native;
using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>Real control planes from start to ready, compared with the bare programs; their memory; their shutdown.</summary>
internal sealed class NativeStart : IMeasurement
{
    private static readonly int[] Counts = [1, 2, 4];

    public string Name => "native-start";

    public string What => "real control planes to ready, their memory, their end";

    public int Runs => 5;

    public bool ByDefault => PlaneBinaries.AreThere;

    public async Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken)
    {
        var binaries = PlaneBinaries.Find();
        // The first start in a process includes compilation, which users pay once, so it is reported separately.
        var first = await StartAsync(binaries, 1, cancellationToken).ConfigureAwait(false);
        var rows = new List<ResultRow> { new() { What = "1 control plane: the first of a process, to ready", Ours = new Samples([first.Start]) } };
        List<double> memory = [], share = [];
        foreach (var count in Counts)
        {
            List<TimeSpan> ours = [], bare = [], ends = [];
            for (var i = 0; i < runs; i++)
            {
                var run = await StartAsync(binaries, count, cancellationToken).ConfigureAwait(false);
                ours.Add(run.Start);
                ends.Add(run.Stop);
                memory.AddRange(run.Resident);
                share.AddRange(run.Share);
                bare.Add(await BareControlPlanes.StartAsync(binaries, count, cancellationToken).ConfigureAwait(false));
            }

            rows.Add(new() { What = $"{count} control plane{(count == 1 ? "" : "s")} to ready", Ours = new Samples(ours), Theirs = new Samples(bare), Against = "the programs alone", IsRatio = true, Aim = 1.15 });
            rows.Add(new() { What = "- until they are gone again", Ours = new Samples(ends), Aim = 0.5 });
        }

        if (memory.Count > 0) rows.Add(new() { What = "memory of one: resident, etcd and kube-apiserver", Unit = Unit.Megabytes, Ours = new Samples(memory) });
        if (share.Count > 0) rows.Add(new() { What = "- its share, where pages are common (PSS)", Unit = Unit.Megabytes, Ours = new Samples(share) });
        return rows;
    }

    private static async Task<(TimeSpan Start, TimeSpan Stop, IReadOnlyList<double> Resident, IReadOnlyList<double> Share)> StartAsync(ControlPlaneBinaries binaries, int count, CancellationToken cancellationToken)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var planes = await NativeControlPlanes.StartAsync(new NativeControlPlanesOptions { Names = BareControlPlanes.Names(count), Binaries = binaries, StartTimeout = TimeSpan.FromMinutes(5) }, cancellationToken).ConfigureAwait(false);
        var start = clock.Elapsed;
        IReadOnlyList<double> Sum(Func<int, double?> of) => [.. planes.Planes.Values.Select(plane => plane.ProcessIds.Sum(of)).OfType<double>().Where(bytes => bytes > 0)];
        var (resident, share) = (Sum(ProcessMemory.Resident), Sum(ProcessMemory.Share));
        clock.Restart();
        await planes.DisposeAsync().ConfigureAwait(false);
        return (start, clock.Elapsed, resident, share);
    }
}
