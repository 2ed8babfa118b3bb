using System.Globalization;
using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;

namespace Build.Tasks;

/// <summary>Runs every test; what is skipped says why and what would run it.</summary>
[TaskName("Test")]
[TaskDescription("Builds and runs all tests (--filter=FullyQualifiedName~Pki)")]
[IsDependentOn(typeof(BuildTask))]
public sealed class TestTask(DotNetCommand dotnet) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context) => TestRun.Of(context, dotnet,
        [new("MeshTrust.Tests"), new("MeshTrust.LiveTests", "TestCategory!=Engine&TestCategory!=Slow")],
        // Those on a container engine mostly wait for it, so they run beside the others, and with them the longest of these.
        [new("MeshTrust.LiveTests", "TestCategory=Engine|TestCategory=Slow")]);
}

/// <summary>Runs the tests that start no program and need no network.</summary>
[TaskName("TestFast")]
[TaskDescription("Builds and runs the tests that take seconds (--filter=FullyQualifiedName~Pki)")]
public sealed class TestFastTask(DotNetCommand dotnet) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        BuildTask.Compile(context, dotnet, "tests/MeshTrust.Tests");
        TestRun.Of(context, dotnet, [[new("MeshTrust.Tests")]]);
    }
}

/// <summary>A run of one compiled test project.</summary>
/// <param name="Project">Its name.</param>
/// <param name="Part">A filter that selects some of its tests; null for all.</param>
internal sealed record TestRun(string Project, string? Part = null)
{
    /// <summary>The exit code of the test platform if its filter selects no test.</summary>
    private const int NoTests = 8;

    /// <summary>Runs all lanes in parallel, and the runs of a lane in sequence, with one filter for all and one line of counts.</summary>
    /// <exception cref="CakeException">A test failed, or the filter selected none at all.</exception>
    public static void Of(ICakeContext context, DotNetCommand dotnet, params TestRun[][] lanes)
    {
        var summary = new TestSummary();
        var running = lanes.Select(lane => Task.Run(() => lane.Select(run => run.Execute(context, dotnet, summary)).ToList())).ToList();
        var codes = Task.WhenAll(running).GetAwaiter().GetResult().SelectMany(lane => lane).ToList();

        context.Log.Information(summary.ToString());
        if (codes.All(code => code == NoTests)) throw new CakeException("The filter selects no test.");
        if (codes.Any(code => code is not 0 and not NoTests) || summary.Failed > 0) throw new CakeException($"Tests failed: {summary}.");
    }

    private int Execute(ICakeContext context, DotNetCommand dotnet, TestSummary summary)
    {
        string[] filters = [.. new[] { BuildArguments.Filter(context), Part }.OfType<string>().Select(filter => $"({filter})")];
        string[] selection = filters.Length == 0 ? [] : ["--filter", string.Join('&', filters)];
        return dotnet.Run(context, line =>
        {
            lock (summary)
            {
                summary.Read(line);
                Console.Out.WriteLine(line);
            }
        }, ["exec", Assembly(context), "--no-ansi", "--results-directory", $"artifacts/tests/{Project}", .. selection]);
    }

    private string Assembly(ICakeContext context) =>
        $"tests/{Project}/bin/{BuildArguments.Configuration(context)}/net10.0/{Project}.dll";
}

/// <summary>The counts of test runs, read from the last lines of the test platform's output, and added up.</summary>
public sealed class TestSummary
{
    private readonly Dictionary<string, int> _counts = [];
    private int _brokenTearDowns;

    /// <summary>Tests that failed, and fixtures whose OneTimeTearDown did, which the test platform prints but does not count.</summary>
    public int Failed => Count("failed") + _brokenTearDowns;

    /// <summary>Reads one line of output; lines such as <c>  succeeded: 12</c> count.</summary>
    public void Read(string line)
    {
        if (line.StartsWith("TearDown failed for test fixture ", StringComparison.Ordinal)) _brokenTearDowns++;
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return;
        var name = line[..colon].Trim();
        if (name is "failed" or "succeeded" or "skipped"
            && int.TryParse(line[(colon + 1)..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            _counts[name] = Count(name) + count;
        }
    }

    /// <summary><c>12 passed, 0 failed, 1 skipped</c>.</summary>
    public override string ToString() => $"{Count("succeeded")} passed, {Failed} failed, {Count("skipped")} skipped";

    private int Count(string name) => _counts.GetValueOrDefault(name);
}
