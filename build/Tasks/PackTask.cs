using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;

namespace Build.Tasks;

/// <summary>Packs the libraries. The Cake layer is packed only over the genuine Cake.Frosting, never over the stand-in.</summary>
[TaskName("Pack")]
[TaskDescription("Packs the NuGet packages into artifacts/packages")]
[IsDependentOn(typeof(BuildTask))]
public sealed class PackTask(DotNetCommand dotnet) : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        dotnet.RunOrFail(context, "pack", "MeshTrust.slnx", "--no-build", "--configuration", BuildArguments.Configuration(context), "--output", "artifacts/packages", "--verbosity", "quiet");
        if (typeof(CakeHost).Assembly.GetName().Name != "Cake.Frosting")
            context.Log.Warning("Cake.Frosting.MeshTrust was not packed: it was compiled against the stand-in (eng/standin). Where the feed has Cake.Frosting it is.");
    }
}
