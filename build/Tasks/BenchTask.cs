using Cake.Core;
using Cake.Frosting;

namespace Build.Tasks;

/// <summary>Measures whole processes and compares them with what a user would run instead.</summary>
[TaskName("Bench")]
[TaskDescription("Measures against openssl and the bounds of the machine (--filter=name for one, --filter=parts for parts)")]
[IsDependentOn(typeof(BuildTask))]
public sealed class BenchTask(DotNetCommand dotnet) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        var assembly = $"tests/MeshTrust.Benchmarks/bin/{BuildArguments.Configuration(context)}/net10.0/MeshTrust.Benchmarks.dll";
        // Measure this program: the one that ./build.sh starts.
        var name = BuildArguments.Filter(context);
        IEnumerable<string> arguments = name is null ? [] : [name];
        if (name is not "parts") arguments = [.. arguments, $"--host={typeof(BenchTask).Assembly.Location}"];
        dotnet.RunOrFail(context, ["exec", assembly, .. arguments]);
    }
}
