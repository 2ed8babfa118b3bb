using Cake.Core;
using Cake.Frosting;

namespace Build.Tasks;

/// <summary>Compiles everything, warnings as errors.</summary>
[TaskName("Build")]
[TaskDescription("Compiles the solution, warnings as errors (--configuration=Release)")]
public sealed class BuildTask(DotNetCommand dotnet) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context) =>
        dotnet.RunOrFail(context, "build", "MeshTrust.slnx", "--configuration", BuildArguments.Configuration(context), "--verbosity", "quiet", "-clp:NoSummary");
}
