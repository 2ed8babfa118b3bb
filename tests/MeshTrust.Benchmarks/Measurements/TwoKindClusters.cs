using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>
/// Two kind clusters with proven trust: compared with the same steps in sequence (kind, openssl, kubectl), and with two bare
/// <c>kind create cluster</c> in parallel. <c>MESHTRUST_KIND_IMAGE</c> sets the node image if kind's own is not available.
/// </summary>
internal sealed class TwoKindClusters(MeasuredHost host) : IMeasurement
{
    private static readonly string[] Clusters = ["bench-east", "bench-west"];

    public string Name => "two-kind-clusters";

    public string What => "two kind clusters with one trust, against kind, openssl and kubectl run manually";

    public int Runs => 3;

    /// <summary>It needs a container engine and takes minutes, so it runs only by name.</summary>
    public bool ByDefault => false;

    public async Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken)
    {
        var image = Environment.GetEnvironmentVariable("MESHTRUST_KIND_IMAGE");
        var bare = new BareKind(Needed("kind"), Needed("kubectl"), image);
        List<TimeSpan> ours = [], again = [], sequence = [], parallel = [];
        for (var i = 0; i < runs; i++)
        {
            using var work = new TemporaryDirectory();
            var verify = host.RunOnKind("Verify", work.Location, Clusters, image);
            try
            {
                ours.Add((await ChildProcess.RunAsync(verify, cancellationToken).ConfigureAwait(false)).Wall);
                again.Add((await ChildProcess.RunAsync(verify, cancellationToken).ConfigureAwait(false)).Wall);
            }
            finally
            {
                await ChildProcess.RunAsync(host.RunOnKind("CleanClusters", work.Location, Clusters, image), CancellationToken.None).ConfigureAwait(false);
            }

            sequence.Add(await CleanedAsync(bare, directory => bare.InSequenceAsync(Clusters, Needed("openssl"), directory, cancellationToken)).ConfigureAwait(false));
            parallel.Add(await CleanedAsync(bare, directory => bare.AllAtOnceAsync(Clusters, directory, cancellationToken)).ConfigureAwait(false));
        }

        return
        [
            new() { What = "two kind clusters with trust", Ours = new Samples(ours), Theirs = new Samples(sequence), Against = "kind twice, openssl, kubectl in sequence", IsRatio = true, Aim = 0.65 },
            new() { What = "- the same", Ours = new Samples(ours), Theirs = new Samples(parallel), Against = "two bare kind create cluster at once", IsRatio = true, Aim = 1.10 },
            new() { What = "- again, unchanged", Ours = new Samples(again) },
        ];
    }

    private static async Task<TimeSpan> CleanedAsync(BareKind bare, Func<string, Task<TimeSpan>> measure)
    {
        using var directory = new TemporaryDirectory();
        try
        {
            return await measure(directory.Location).ConfigureAwait(false);
        }
        finally
        {
            await bare.DeleteAsync(Clusters, directory.Location).ConfigureAwait(false);
        }
    }

    private static string Needed(string program) => ChildProcess.OnPath(program) ?? throw new ChildFailedException($"{program} is not on the PATH, and this measurement needs it.");
}
