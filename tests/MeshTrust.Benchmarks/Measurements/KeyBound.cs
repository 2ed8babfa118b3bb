using System.Diagnostics;
using System.Security.Cryptography;
using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>A root and a hundred intermediates, compared with generating the same number of keys: the minimum for any program.</summary>
internal sealed class KeyBound(MeasuredHost host, int bits) : IMeasurement
{
    private const int Clusters = 100;

    public string Name => $"key-bound-{bits}";

    public string What => $"root + {Clusters} clusters, RSA-{bits}, against the generation of their keys on all cores";

    public required int Runs { get; init; }

    public required bool ByDefault { get; init; }

    public async Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken)
    {
        List<Effort> ours = [], theirs = [];
        for (var i = 0; i < runs; i++)
        {
            using (var work = new TemporaryDirectory())
            {
                var command = host.Run("ClusterCacerts", work.Location, $"--clusters={Clusters}", $"--rootca-keysz={bits}", $"--intermediate-keysz={bits}");
                ours.Add(Effort.Of(await ChildProcess.RunAsync(command, cancellationToken).ConfigureAwait(false)));
            }

            theirs.Add(Generate(Clusters + 1, cancellationToken));
        }

        return Effort.Rows($"root + {Clusters} clusters, RSA-{bits}", ours, theirs, "keys only, all cores", aim: 1.05);
    }

    /// <summary>In this process, which is already running: the bound includes no start-up.</summary>
    private Effort Generate(int count, CancellationToken cancellationToken)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        var left = count;
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            while (Interlocked.Decrement(ref left) >= 0 && !cancellationToken.IsCancellationRequested)
            {
                // The platform generates the key when it is first used.
                using var key = RSA.Create(bits);
                key.ExportPkcs8PrivateKey();
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        cancellationToken.ThrowIfCancellationRequested();
        return new Effort(clock.Elapsed, Environment.CpuUsage.TotalTime - cpu);
    }
}
