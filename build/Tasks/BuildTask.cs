using Cake.Core;
using Cake.Core.Diagnostics;
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
        dotnet.RunOrFail(
            context, "build", project, "--configuration", BuildArguments.Configuration(context), "--verbosity", "quiet", "-clp:NoSummary");
}

/// <summary>Packs the libraries. The Cake layer is packed only with the real Cake.Frosting, never with the stand-in.</summary>
[TaskName("Pack")]
[TaskDescription("Packs the NuGet packages into artifacts/packages")]
[IsDependentOn(typeof(BuildTask))]
public sealed class PackTask(DotNetCommand dotnet) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        dotnet.RunOrFail(
            context, "pack", "MeshTrust.slnx", "--no-build", "--configuration", BuildArguments.Configuration(context),
            "--output", "artifacts/packages", "--verbosity", "quiet");
        if (typeof(CakeHost).Assembly.GetName().Name != "Cake.Frosting")
        {
            context.Log.Warning(
                "Cake.Frosting.MeshTrust was not packed, because this build uses the stand-in for Cake.Frosting. "
                + "Pack it with a NuGet feed that has Cake.Frosting.");
        }
    }
}
