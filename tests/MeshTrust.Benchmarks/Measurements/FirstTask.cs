using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>How soon the first task starts after <c>./build.sh --target=X</c> if the build program is already compiled.</summary>
internal sealed class FirstTask(MeasuredHost host) : IMeasurement
{
    public string Name => "first-task";

    public string What => "from ./build.sh to the first task";

    public int Runs => 15;

    public bool ByDefault => !OperatingSystem.IsWindows();

    public async Task<IReadOnlyList<ResultRow>> RunAsync(int runs, CancellationToken cancellationToken)
    {
        using var work = new TemporaryDirectory();
        // Its first task is itself, and Cake writes its name before it runs.
        const string target = "RootCa";
        var command = host.RunThroughEntry(target, work.Location) with { AwaitedLine = target };
        await ChildProcess.RunAsync(command, cancellationToken).ConfigureAwait(false);

        var ours = new List<TimeSpan>();
        for (var i = 0; i < runs; i++)
        {
            var run = await ChildProcess.RunAsync(command, cancellationToken).ConfigureAwait(false);
            ours.Add(run.UntilLine ?? throw new ChildFailedException($"'{command}' never wrote the line '{target}':\n{run.Output}"));
        }

        return [new() { What = "./build.sh to the first task", Ours = new Samples(ours), Aim = 0.7 }];
    }
}
