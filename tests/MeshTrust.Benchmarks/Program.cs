using System.Runtime.InteropServices;
using BenchmarkDotNet.Running;
using MeshTrust.Benchmarks;
using MeshTrust.Benchmarks.Measurements;
using MeshTrust.Benchmarks.Parts;
using MeshTrust.Benchmarks.Planes;
using MeshTrust.Benchmarks.Processes;

if (args is ["parts", .. var forBenchmarkDotNet])
{
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(forBenchmarkDotNet is [] ? ["--filter", "*"] : forBenchmarkDotNet, new PartsConfig());
    return 0;
}

if (args is [ContextsPush.Verb, .. var forPush]) return await ContextsPush.RunAsync(forPush);
if (args is [ContextsRotation.Verb, .. var forRotation]) return await ContextsRotation.RunAsync(forRotation);

if (!BenchOptions.TryParse(args, out var options, out var wrong))
{
    Console.Error.WriteLine(wrong);
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

try
{
    var host = MeasuredHost.Find(options.Host);
    var chosen = MeasurementList.For(host).Where(options.Takes).ToList();
    if (chosen.Count == 0)
    {
        Console.Error.WriteLine($"No measurement is called '{options.Name}'. There are: {string.Join(", ", MeasurementList.For(host).Select(m => m.Name))}, parts.");
        return 2;
    }

    Console.WriteLine(await Machine.DescribeAsync(stop.Token));
    var rows = new List<ResultRow>();
    foreach (var measurement in chosen)
    {
        var runs = options.Runs ?? measurement.Runs;
        Console.WriteLine($"measuring {measurement.Name}: {measurement.What}, {runs} runs ...");
        rows.AddRange(await measurement.RunAsync(runs, stop.Token));
    }

    Console.WriteLine();
    Console.Write(ResultTable.Render(rows));
    Console.WriteLine(Machine.Load());
    return 0;
}
catch (ChildFailedException failed)
{
    Console.Error.WriteLine(failed.Message);
    return 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Stopped: what was measured so far is dropped.");
    return 130;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
