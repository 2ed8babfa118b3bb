using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;

namespace Build.Tasks;

/// <summary>Runs every test; what is skipped says why and what would run it.</summary>
[TaskName("Test")]
[TaskDescription("Builds and runs the tests (--filter=FullyQualifiedName~Pki)")]
[IsDependentOn(typeof(BuildTask))]
public sealed class TestTask(DotNetCommand dotnet) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        var assembly = $"tests/MeshTrust.Tests/bin/{BuildArguments.Configuration(context)}/net10.0/MeshTrust.Tests.dll";
        IEnumerable<string> filter = BuildArguments.Filter(context) is { } expression ? ["--filter", expression] : [];
        var summary = new TestSummary();

        var code = dotnet.Run(context, line =>
        {
            summary.Read(line);
            Console.Out.WriteLine(line);
        }, ["exec", assembly, "--no-ansi", "--results-directory", "artifacts/tests", .. filter]);

        context.Log.Information(summary.ToString());
        if (code != 0 || summary.Failed > 0) throw new CakeException($"Tests failed: {summary}.");
    }
}
