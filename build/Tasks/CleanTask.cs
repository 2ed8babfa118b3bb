using Cake.Common.IO;
using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Core.IO;
using Cake.Frosting;
using Cake.Frosting.MeshTrust.Tasks;

namespace Build.Tasks;

/// <summary>Removes the kind clusters that were made from the work directory, and then what a build leaves; keys are not a build's to remove.</summary>
[TaskName("Clean")]
[TaskDescription("Removes the kind clusters that were made here (--skip-cleanup keeps them) and build outputs; never keys")]
[IsDependentOn(typeof(CleanClustersTask))]
public sealed class CleanTask : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        var settings = new DeleteDirectorySettings { Recursive = true, Force = true };
        var outputs = context.GetDirectories("./{src,tests,build,compat,samples}/**/bin")
            .Concat(context.GetDirectories("./{src,tests,build,compat,samples}/**/obj"))
            .Concat([new DirectoryPath("./artifacts/tests"), new DirectoryPath("./artifacts/packages"), new DirectoryPath("./artifacts/bench")])
            .Where(context.DirectoryExists)
            .ToList();
        foreach (var output in outputs) context.DeleteDirectory(output, settings);
        context.Log.Information($"Removed {outputs.Count} directories of build outputs.");
    }
}
