using Cake.Core;
using Cake.Frosting;

namespace Build.Tasks;

/// <summary>Compiles everything, warnings as errors.</summary>
[TaskName("Build")]
[TaskDescription("Compiles the solution, warnings as errors (--configuration=Release)")]
public sealed class BuildTask(DotNetCommand dotnet) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context) => Compile(context, dotnet, "MeshTrust.slnx");

    /// <summary>Compiles one project, or all of them.</summary>
    internal static void Compile(ICakeContext context, DotNetCommand dotnet, string project) =>
        dotnet.RunOrFail(context, "build", project, "--configuration", BuildArguments.Configuration(context), "--verbosity", "quiet", "-clp:NoSummary");
}
